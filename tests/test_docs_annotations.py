"""What docs/annotations.md tells is true: its code runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import gpuseg

TEXT = (Path(__file__).parents[1] / "docs" / "annotations.md").read_text("utf-8")
SHARED = {"--palette", "--on-duplicate", "--depth", "--ignore-index"}
"""Options that the README tells of."""

SQUARE = [[2, 2], [6, 2], [6, 5], [2, 5]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Annotations and a palette, as the text takes them for granted."""
    monkeypatch.chdir(tmp_path)
    Path("classes.csv").write_text("name,r,g,b\nbackground,0,0,0\ncar,9,9,9\n", "utf-8")
    Path("annotations").mkdir()
    shapes = [{"label": label, "points": SQUARE} for label in ("car", "kite")]
    document = {"imagePath": "a.jpg", "imageWidth": 12, "imageHeight": 8, "shapes": shapes}
    document["shapes"][1]["points"] = [[8, 2], [10, 2], [10, 5]]
    Path("annotations/a.json").write_text(json.dumps(document), "utf-8")
    image = {"id": 1, "file_name": "a.jpg", "width": 12, "height": 8}
    flat = [v for point in SQUARE for v in point]
    crowd = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [flat], "iscrowd": 1}
    categories = [{"id": 1, "name": "car"}]
    coco = {"images": [image], "annotations": [crowd], "categories": categories}
    Path("instances.json").write_text(json.dumps(coco), "utf-8")


def test_the_code_of_the_page_runs() -> None:
    rasterize, polygonize = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    found: dict[str, object] = {"gpuseg": gpuseg}
    exec(rasterize, found)
    labels = gpuseg.load_label("labels/a.png")
    assert set(np.unique(labels)) == {0, 1, 255}  # kite is no class
    assert set(np.unique(gpuseg.load_label("from-coco/a.png"))) == {0, 1}
    assert set(np.unique(gpuseg.load_label("objects/a.png"))) <= {0, 1, 255}
    exec(polygonize, found)
    again = gpuseg.load_label("again/a.png")
    assert np.array_equal(again == 1, labels == 1)


def test_the_page_names_every_format_and_choice() -> None:
    from gpuseg.annotations.recognising import format_names
    from gpuseg.cli.rasterize import rasterize

    for name in format_names():
        assert f"| `{name}` |" in TEXT, name
    told = set(re.findall(r"--[a-z][a-z-]+", TEXT))
    options = [param.opts[0] for param in rasterize.params if param.opts[0].startswith("--")]
    own = options[: options.index("--depth")]
    assert len(own) > 10
    assert set(own) <= told | SHARED
