"""Pages about runs: what they hold, how they are built, and what they refuse."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gpuseg
from gpuseg.errors import OutputError, PaletteError, UsageError
from gpuseg.labels import save_label
from gpuseg.options import Shard
from tests.making import COLOURS, PALETTE, indices, save_mask
from tests.verbs.pages import Outline, hostile_run, outline, run

pytest.importorskip("jinja2")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Outline:
    dst = hostile_run(tmp_path_factory.mktemp("hostile"))
    return outline(gpuseg.report(dst, workers=1))


def images(page: Outline) -> dict[str, np.ndarray]:
    """The pictures of a page by their alt text, as RGB."""
    found = {}
    for attributes in page.all("img"):
        kind, data = attributes["src"].split(",")
        assert kind in ("data:image/png;base64", "data:image/jpeg;base64")
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
            assert (image.width, image.height) == (
                int(attributes["width"]),
                int(attributes["height"]),
            )
            found[attributes["alt"]] = np.array(image.convert("RGB"))
    return found


def check_structure(page: Outline) -> None:
    """Nothing from elsewhere, nothing that runs, and built as HTML should be."""
    names = {name for name, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for name, attributes in page.tags:
        assert not any(key.startswith("on") for key in attributes), (name, attributes)
        assert "style" not in attributes
        assert attributes.get("src", "data:image/").startswith("data:image/")
        assert attributes.get("href", "#").startswith("#")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for key in ("aria-labelledby", "for", "popovertarget"):
        wanted = {attributes[key] for _, attributes in page.tags if key in attributes}
        assert wanted <= set(ids), wanted - set(ids)
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)
    assert all(image["alt"].strip() for image in page.all("img"))
    assert all("scope" in head for head in page.all("th"))
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]
    assert page.open == [""]


def test_a_page_tells_of_the_run_its_classes_and_its_files(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore")
    path = gpuseg.report(dst)
    assert path == dst / "gpuseg-report.html"
    page = outline(path)
    check_structure(page)
    for words in ("4", "convert", "#010203", "nothing", "unknown: ignore", "The run", "odd.png"):
        assert words in page.text, words
    assert "They became the ignore index, 255." in page.text
    assert "Failures" not in page.text
    found = images(page)
    crop = found["Surroundings of a pixel of colour #010203"]
    assert ((crop == (1, 2, 3)).all(2)).sum() >= 9
    for name in ("m0.png", "m1.png", "m2.png", "odd.png"):
        with Image.open(dst / name) as image:
            assert np.array_equal(found[f"Label map of {name}"], np.array(image.convert("RGB")))
        with Image.open(tmp_path / "src" / name) as image:
            assert np.array_equal(found[f"Source of {name}"], np.array(image))
    counts = sum(
        np.bincount(np.array(Image.open(dst / f"{n}.png")).reshape(-1), minlength=256)
        for n in ("m0", "m1", "m2", "odd")
    )
    rows = re.findall(r"\d[\d,]*", page.text)
    for index in range(len(COLOURS)):
        assert f"{counts[index]:,}" in rows


def test_failed_files_are_told_with_their_colours(tmp_path: Path) -> None:
    page = outline(gpuseg.report(run(tmp_path)))
    check_structure(page)
    assert "unknown-colours" in page.text
    assert "Files that hold one failed." in page.text
    assert "2 of 1,200 pixels" in page.text
    assert "Surroundings of a pixel of colour #010203" in images(page)


def test_the_page_is_the_same_every_time(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore")
    first = gpuseg.report(dst, workers=2).read_bytes()
    assert gpuseg.report(dst, workers=1).read_bytes() == first


def test_hostile_names_are_shown_and_do_nothing(hostile: Outline) -> None:
    check_structure(hostile)
    for words in (
        '"><script>document.title="pwned"</script>',
        "</style><style>body{display:none}",
        "{{7*7}}{% raw %}",
        "ro\\u202ead\\ud800",
        "{{7*7}}.png",
        "gnp.\\u202eexe.png",
        "line\\nbreak.png",
        "عربى.png",
        "<b>kind</b>",
        "<img src=x onerror=alert(1)>",
        "bad\\udcff.png",
    ):
        assert words in hostile.text, words


def test_hostile_rows_are_counted_and_lead_nowhere(hostile: Outline) -> None:
    assert "4 lines of the report are no rows of ours" in hostile.text
    shown = images(hostile)
    assert not any("secret" in alt for alt in shown)
    assert "the mask is not there" in hostile.text
    assert "<script>alert(1)</script>" in hostile.text  # the message of the log


def test_the_policy_allows_the_style_and_nothing_else(hostile: Outline, tmp_path: Path) -> None:
    text = gpuseg.report(run(tmp_path)).read_text("utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "url(" not in style
    assert "@import" not in style


def test_shards_are_one_page(tmp_path: Path) -> None:
    for number in (1, 2):
        run(tmp_path, unknown="ignore", shard=Shard(number, 2))
    reports = sorted((tmp_path / "dst").glob("*.jsonl"))
    assert len(reports) == 2
    page = outline(gpuseg.report(tmp_path / "dst"))
    check_structure(page)
    for report in reports:
        assert report.name in page.text
    assert {f"Label map of {name}.png" for name in ("m0", "m1", "m2", "odd")} <= set(images(page))


def test_without_a_report_the_label_maps_are_shown_all_the_same(tmp_path: Path) -> None:
    save_label(tmp_path / "a.png", indices(9, 12), PALETTE)
    page = outline(gpuseg.report(tmp_path, palette=PALETTE))
    check_structure(page)
    assert "There is no report of a run" in page.text
    assert "index 3" not in page.text
    page = outline(gpuseg.report(tmp_path))
    assert "index 3" in page.text
    assert "--src names it" in page.text


def test_files_that_are_no_label_maps_are_told(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore")
    save_mask(dst / "colours.png")
    page = outline(gpuseg.report(dst))
    assert "1 file could not be read as label maps" in page.text
    assert "colours.png" in page.text


def test_the_run_the_source_and_the_palette_can_be_named(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore", report=tmp_path / "elsewhere.jsonl")
    (tmp_path / "src").rename(tmp_path / "moved")
    page = outline(gpuseg.report(dst, run=tmp_path / "elsewhere.jsonl"))
    assert "--src names it" in page.text
    names = [f"renamed {i}" for i in range(6)]
    palette = gpuseg.Palette.from_colours(COLOURS, names)
    page = outline(
        gpuseg.report(
            dst,
            tmp_path / "page.html",
            run=tmp_path / "elsewhere.jsonl",
            src=tmp_path / "moved",
            palette=palette,
        )
    )
    assert "--src names it" not in page.text
    assert "renamed 3" in page.text
    assert "Source of odd.png" in images(page)


def test_photographs_lie_below_label_maps(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore")
    (tmp_path / "photos").mkdir()
    for i in range(3):
        Image.new("RGB", (40, 30), (200, 200, 200)).save(tmp_path / f"photos/m{i}.jpg")
    page = outline(gpuseg.report(dst, over=tmp_path / "photos"))
    assert page.text.count("There is no photograph of this name") == 1
    found = images(page)["Overlay of m0.png"].astype(int)
    want = (images(page)["Label map of m0.png"].astype(int) + 201) // 2
    assert np.abs(found - want).mean() < 12


def test_the_size_follows_from_the_gallery(tmp_path: Path) -> None:
    dst = run(tmp_path, unknown="ignore")
    sizes = [gpuseg.report(dst, gallery=n).stat().st_size for n in (0, 1, 4)]
    assert sizes[0] < 60_000
    assert sizes == sorted(sizes)
    assert "Gallery" not in outline(gpuseg.report(dst, gallery=0)).text


def test_a_page_replaces_pages_only(tmp_path: Path) -> None:
    dst = run(tmp_path)
    page = gpuseg.report(dst)
    assert gpuseg.report(dst) == page
    other = tmp_path / "mine.html"
    other.write_text("<title>mine</title>")
    with pytest.raises(OutputError, match="did not write here before; choose another --out"):
        gpuseg.report(dst, other)
    assert other.read_text() == "<title>mine</title>"
    gpuseg.report(dst, other, overwrite=True)
    assert "gpuseg report" in other.read_text("utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        gpuseg.report(dst, tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        gpuseg.report(dst, tmp_path / "none/page.html")
    assert not list(tmp_path.glob(".gpuseg-*"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_page_that_cannot_be_is_refused_before_the_work(tmp_path: Path, overwrite: bool) -> None:
    dst = run(tmp_path)
    wrong = [tmp_path, tmp_path / "none" / "page.html", dst / "m0.png" / "page.html"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        wrong.append(tmp_path / "pipe")
    for page in wrong:
        calls: list[object] = []
        with pytest.raises(OutputError, match="cannot be written"):
            gpuseg.report(dst, page, overwrite=overwrite, progress=calls.append)
        assert not calls


def test_a_folder_that_takes_no_files_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    calls: list[object] = []
    with pytest.raises(OutputError, match="takes no files; choose another --out"):
        gpuseg.report(tmp_path, progress=calls.append)
    assert not calls


def test_what_is_asked_for_is_checked_before_anything_is_done(tmp_path: Path) -> None:
    dst = run(tmp_path)
    for wrong in (-1, 501, True, 2.5):
        with pytest.raises(UsageError, match="gallery"):
            gpuseg.report(dst, gallery=wrong)
    for wrong in ({"src": tmp_path / "no"}, {"over": tmp_path / "no"}):
        with pytest.raises(UsageError, match="must be a folder"):
            gpuseg.report(dst, **wrong)
    with pytest.raises(UsageError, match="DST must be a folder"):
        gpuseg.report(tmp_path / "no")
    with pytest.raises(UsageError, match="cannot be read"):
        gpuseg.report(dst, run=tmp_path / "no.jsonl")
    with pytest.raises(UsageError, match="is no report of gpuseg"):
        gpuseg.report(dst, run=dst / "m0.png")
    with pytest.raises(PaletteError):
        gpuseg.report(dst, palette="no-such-palette")
    assert not (dst / "gpuseg-report.html").exists()


def test_an_empty_folder_has_a_page_too(tmp_path: Path) -> None:
    page = outline(gpuseg.report(tmp_path))
    check_structure(page)
    assert "0 label maps" in page.text
