"""The code of the README and of docs/ runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import gpuseg

pytestmark = pytest.mark.torch

torch = pytest.importorskip("torch")

from gpuseg.torch import LabelMapDataset, MaskToIndex  # noqa: E402  # it imports torch

ROOT = Path(__file__).parents[1]
CLASSES = 19
"""Those of the preset cityscapes, which the texts use."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A folder with images and labels, and what the texts take for granted."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    colours = gpuseg.load_palette("cityscapes").colours
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for stem in ("a", "b"):
        pixels = colours[random.integers(0, CLASSES, (8, 12))]
        save(tmp_path / "images" / f"{stem}.png", pixels)
        save(tmp_path / "masks" / f"{stem}.png", pixels)
    gpuseg.convert_directory("masks", "labels", "cityscapes")
    images = torch.zeros(2, 3, 8, 12)
    return {
        "gpuseg": gpuseg,
        "torch": torch,
        "transforms": None,
        "model": lambda images: torch.zeros(len(images), CLASSES, 8, 12),
        "network": lambda images: torch.zeros(len(images), CLASSES, 8, 12),
        "loader": [(images, ["a.jpg", "b.jpg"])],
    }


def save(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray(pixels).save(path)


def blocks(text: str, heading: str = "") -> list[str]:
    """The Python of a text, below a heading."""
    found = re.findall(r"```python\n(.*?)```", text[text.index(heading) :], re.S)
    assert found
    return found


def test_the_readme_s_training_loop_runs(here: dict[str, object]) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    exec(blocks(readme, "## Train, predict, evaluate")[0], here)
    assert isinstance(here["dataset"], LabelMapDataset)
    assert sorted(path.name for path in Path("predictions").glob("*.png")) == ["a.png", "b.png"]


def test_the_page_about_training_is_true(here: dict[str, object]) -> None:
    first, second = blocks((ROOT / "docs" / "training.md").read_text("utf-8"))
    exec(first, here)
    assert here["image"].shape == (3, 8, 12)
    assert here["image"].dtype == torch.uint8
    assert here["label"].dtype == torch.int64
    exec(second, here)
    saved = gpuseg.load_label("predictions/a.png")
    assert saved.tolist() == np.zeros((8, 12)).tolist()
    labels = MaskToIndex("cityscapes")(torch.from_numpy(gpuseg.index_to_rgb(saved, "cityscapes")))
    assert labels.tolist() == saved.tolist()


def test_the_page_about_evaluation_is_true(here: dict[str, object]) -> None:
    pytest.importorskip("jinja2")
    text = (ROOT / "docs" / "evaluation.md").read_text("utf-8").replace('"voc"', '"cityscapes"')
    [code] = blocks(text)
    with gpuseg.PredictionWriter("predictions", "cityscapes") as writer:
        writer.save(np.stack([gpuseg.load_label(f"labels/{s}.png") for s in "ab"]), ["a", "b"])
    here["loader"] = [(torch.zeros(2, 3, 8, 12), torch.zeros(2, 8, 12, dtype=torch.int64))]
    exec(code, here)
    assert here["found"].miou == 1
    assert Path("evaluation.html").exists()
    assert here["matrix"].scores().miou == 1
