"""The page of an evaluation: whole, safe whatever names there are, and of what there is."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

import gpuseg
from gpuseg.evaluation.result import Evaluation
from gpuseg.pages import evaluation as module
from gpuseg.pages.evaluation import make_page
from tests.evaluations import evaluated, of_matrix, save, save_pair, six
from tests.making import PALETTE, indices
from tests.verbs.pages import HOSTILE, NAMES, Outline

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


def page(found: Evaluation, over: str | None = None) -> Outline:
    outline = Outline(make_page(found, over).decode("utf-8"))
    assert outline.open == [""]
    assert not outline.all("script")
    identifiers = [each["id"] for _, each in outline.tags if "id" in each]
    assert len(identifiers) == len(set(identifiers))
    targets = [link["href"][1:] for link in outline.all("a")]
    assert set(targets) <= set(identifiers)
    return outline


def test_it_says_how_good_the_predictions_are(tmp_path: Path) -> None:
    found = evaluated(six(tmp_path))
    told = page(found)
    text = " ".join(told.text.split())
    assert f"mean IoU {100 * found.miou:.1f} % of 6 classes" in text
    assert f"pixel accuracy {100 * found.scores.pixel_accuracy:.1f} %" in text
    for words in ("pairs 6 evaluated", "uncounted 1", "failed 2", "missing 1", "extra 1"):
        assert words in text, words
    for name in ("size.png", "broken.png", "lonely.png", "extra.png", "sub/0.png"):
        assert name in text, name
    assert "right.png" not in text
    assert "1 pair without a pixel that counts" in text
    assert "Palette six" in text
    wide = found.classes[1]
    assert f"{wide.truth:,} {wide.predicted:,}" in text


def test_pictures_and_the_matrix_are_in_the_page(tmp_path: Path) -> None:
    told = page(evaluated(six(tmp_path)))
    images = told.all("img")
    assert len(images) == 2 * 3 * 4
    assert all(image["src"].startswith("data:image/") for image in images)
    assert {image["alt"].split(" of ")[0] for image in images} == {"Truth", "Prediction", "Errors"}
    told_order = "The pictures of each are the truth, the prediction and the errors, row by row"
    assert told_order in " ".join(told.text.split())
    [plot] = [svg for svg in told.all("svg") if svg.get("role") == "img"]
    assert plot["aria-label"].startswith("Of the pixels of each class")
    assert "style" not in {name for _, each in told.tags for name in each}


def test_nothing_may_run_or_be_loaded(tmp_path: Path) -> None:
    told = page(evaluated(six(tmp_path)))
    [policy] = [m["content"] for m in told.all("meta") if m.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert not [each for _, each in told.tags if each.get("href", "#")[:1] not in ("#", "")]


def test_the_policy_names_the_style_sheets(tmp_path: Path) -> None:
    text = make_page(evaluated(six(tmp_path)), None).decode("utf-8")
    [style] = re.findall(r"<style>(.*?)</style>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text
    assert ".tiles" in style
    assert ".taken" in style


def test_whatever_names_there_are(tmp_path: Path) -> None:
    for i, name in enumerate(NAMES):
        truth = indices(20, 30, i)
        wrong = truth.copy()
        wrong[:9] = (truth[:9] + 1) % 6
        try:
            save_pair(tmp_path, name, truth, wrong, HOSTILE)
        except OSError:  # a file system that has no such names
            continue
    save(tmp_path / "truth/<b>lonely.png", indices(3, 3), HOSTILE)
    told = page(evaluated(tmp_path, HOSTILE))
    assert not told.all("b")
    assert len(told.all("style")) == 1
    assert len(told.all("title")) == 1
    assert '"><script>document.title="pwned"</script>' in told.text
    assert "ro\\u202ead\\ud800" in told.text
    assert "<b>lonely.png" in told.text
    assert not [name for _, each in told.tags for name in each if name.startswith("on")]


def test_without_a_palette_colours_are_made_up_and_it_says_so(tmp_path: Path) -> None:
    told = page(of_matrix(tmp_path, {(3, 3): 4, (3, 300): 2}))
    assert "colours are made up" in told.text
    assert "index 300" in told.text
    assert "colours are made up" not in page(evaluated(six(tmp_path / "six"))).text


def test_boundaries_are_told_where_they_were_scored(tmp_path: Path) -> None:
    assert "oundary" not in page(evaluated(six(tmp_path))).text
    found = evaluated(tmp_path, boundary=2)
    assert found.boundaries is not None
    text = " ".join(page(found).text.split())
    told = f"boundary F {100 * found.boundaries.score:.1f} % mean of images, 2 pixels"
    assert told in text
    assert f"boundary F {100 * found.boundaries.class_mean:.1f} % mean of classes" in text
    first = found.classes[0]
    assert f"{100 * first.precision:.1f} % {100 * first.boundary:.1f} % {first.truth:,}" in text
    assert "0.75 % of the diagonal" in page(evaluated(tmp_path, boundary="auto")).text


def test_nothing_to_score(tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "pred").mkdir()
    told = page(evaluated(tmp_path, None))
    assert "No pair was evaluated" in told.text
    assert not told.all("table")
    save_pair(tmp_path, "a.png", indices(5, 5), indices(5, 6))
    told = page(evaluated(tmp_path))
    assert "No pair was evaluated" in told.text
    assert "5 x 5" in told.text
    assert len(told.all("table")) == 1


def test_all_is_right(tmp_path: Path) -> None:
    save_pair(tmp_path, "a.png", np.zeros((4, 4), np.uint8), palette=None)
    told = page(evaluated(tmp_path, None))
    assert not told.all("img")
    assert "taken for" not in told.text
    assert "mean IoU 100 % of 1 class" in " ".join(told.text.split())


def test_classes_that_are_nowhere_are_named(tmp_path: Path) -> None:
    found = of_matrix(tmp_path, {(0, 0): 4, (1, 0): 2}, palette=PALETTE)
    assert "Classes in neither truth nor predictions" in page(found).text


def test_only_so_many_pairs_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WORST", 3)
    told = page(evaluated(six(tmp_path)))
    assert len(told.all("img")) == 2 * 3 * 3
    assert "1 more are named by --json" in " ".join(told.text.split())


def test_warnings_have_their_section(tmp_path: Path) -> None:
    found = evaluated(six(tmp_path))
    assert not [link for link in page(found).all("a") if link["href"] == "#warnings"]
    found.troubles.add(gpuseg.FileResult(source="w.png", status="read", warnings=("is odd",)))
    told = page(found)
    assert [link for link in told.all("a") if link["href"] == "#warnings"]
    assert "is odd" in told.text
