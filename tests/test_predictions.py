"""PredictionWriter and save_predictions: what a model gives is on disk, exactly, or told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpuseg
from gpuseg import PredictionWriter, save_predictions
from gpuseg.errors import (
    LabelError,
    OutputError,
    PaletteError,
    PaletteSizeError,
    UsageError,
)
from gpuseg.palette import Palette
from gpuseg.palettes.of_run import palette_of_run
from tests.helpers import read_report
from tests.making import PALETTE, indices, read_indices, save_mask
from tests.predicting.batches import check, logits, names, save_all


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_batches_are_saved_and_reported(tmp_path: Path, workers: int | None) -> None:
    with PredictionWriter(tmp_path / "dst", PALETTE, workers=workers) as writer:
        save_all(writer, 5)
    check(tmp_path / "dst", 5)
    lines = read_report(tmp_path / "dst" / "gpuseg-report.jsonl")
    assert lines.files.keys() == {name for batch in range(5) for name in names(batch)}
    assert lines.header["verb"] == "predict"
    assert lines.header["dst"] == str(tmp_path / "dst")
    assert palette_of_run(tmp_path / "dst") == Palette(
        PALETTE.classes, name=PALETTE.name, ignore_index=255
    )
    assert lines.summary["pixels"] == 5 * 3 * 12 * 17
    assert writer.report.summary().startswith("15 converted")
    assert (writer.report.exit_code, writer.report.failed) == (0, 0)


def test_one_image_and_one_batch(tmp_path: Path) -> None:
    report = save_predictions(logits(0), names(0), tmp_path / "dst", PALETTE)
    assert (report.done, report.exit_code) == (3, 0)
    check(tmp_path / "dst", 1)
    labels = indices(9, 14).astype(np.int64)
    labels[0] = 7
    save_predictions(labels, "one.tif", tmp_path / "one", PALETTE, ignore_index=7)
    assert np.array_equal(read_indices(tmp_path / "one" / "one.png"), labels)
    assert palette_of_run(tmp_path / "one").ignore_index == 7  # type: ignore[union-attr]
    assert save_predictions(labels[:0, None], [], tmp_path / "none", PALETTE).exit_code == 0


def test_every_epoch_replaces_the_last(tmp_path: Path) -> None:
    for batch in (1, 0):
        save_predictions(logits(batch), names(0), tmp_path, PALETTE)
    check(tmp_path, 1)
    save_predictions(logits(0), names(0), tmp_path, Palette.from_colours(PALETTE.colours[::-1]))
    check(tmp_path, 1)


def test_the_verbs_know_what_predictions_mean(tmp_path: Path) -> None:
    save_predictions(logits(0), names(0), tmp_path / "dst", PALETTE)
    counted = {c.name: c.pixels for c in gpuseg.stats(tmp_path / "dst").classes}
    expected = np.bincount(logits(0).argmax(1).ravel(), minlength=6)
    assert [counted[c.name] for c in PALETTE.classes] == expected.tolist()
    assert gpuseg.check(tmp_path / "dst", PALETTE).exit_code == 0
    gpuseg.colorize(tmp_path / "dst", tmp_path / "colours")
    pixels = np.asarray(gpuseg.index_to_rgb(logits(0).argmax(1).astype("u1"), PALETTE))
    from PIL import Image

    with Image.open(tmp_path / "colours" / "town0" / "frame00.png") as image:
        assert np.array_equal(np.asarray(image), pixels[0])


def test_predictions_are_evaluated(tmp_path: Path) -> None:
    truth = logits(0).argmax(1)
    truth[:, :3] = 255
    scores = logits(0)
    scores[:, 5, 6:] = 9  # wrong below
    save_predictions(scores, names(0), tmp_path / "pred", PALETTE)
    for name, labels in zip(names(0), truth, strict=True):
        path = (tmp_path / "truth" / name).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        gpuseg.save_label(path, labels, PALETTE)
    found = gpuseg.evaluate(tmp_path / "pred", tmp_path / "truth")  # by the report in PRED
    assert (found.palette, found.pairs, found.report.exit_code) == ("six", 3, 0)
    counted = truth != 255
    right = counted & (scores.argmax(1) == truth)
    assert found.scores.pixel_accuracy == right.sum() / counted.sum()


def test_reports_of_several_processes_are_merged(tmp_path: Path) -> None:
    for rank in range(2):
        save_predictions(
            logits(rank), names(rank), tmp_path, PALETTE, shard=gpuseg.Shard(rank + 1, 2)
        )
    found = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert found == [f"gpuseg-report-0000{k}-of-00002.jsonl" for k in (1, 2)]
    merged = gpuseg.merge_reports(tmp_path)
    assert merged.exit_code == 0
    check(tmp_path, 2)
    lines = read_report(tmp_path / "gpuseg-report.jsonl")
    assert lines.files.keys() == {*names(0), *names(1)}
    assert lines.header["verb"] == "predict"


def test_a_page_tells_of_predictions(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    save_predictions(logits(0), names(0), tmp_path, PALETTE)
    gpuseg.report(tmp_path)
    page = (tmp_path / "gpuseg-report.html").read_text("utf-8")
    assert "predict" in page
    assert "town0/frame00.jpg" in page or "town0/frame00.png" in page


def test_the_report_of_another_verb_stays(tmp_path: Path) -> None:
    save_mask(tmp_path / "masks" / "a.png")
    gpuseg.convert_directory(tmp_path / "masks", tmp_path / "dst", PALETTE, device="cpu")
    before = (tmp_path / "dst" / "gpuseg-report.jsonl").read_bytes()
    with pytest.raises(OutputError, match="would replace that of `gpuseg convert`"):
        PredictionWriter(tmp_path / "dst", PALETTE)
    assert (tmp_path / "dst" / "gpuseg-report.jsonl").read_bytes() == before
    report = tmp_path / "mine.jsonl"
    with pytest.raises(OutputError, match=r"1 of 1 prediction could not be saved, first a\.jpg"):
        save_predictions(indices(3, 3), "a.jpg", tmp_path / "dst", PALETTE, report=report)
    save_predictions(indices(3, 3), "a.jpg", tmp_path / "dst", PALETTE, overwrite=True)
    assert read_indices(tmp_path / "dst" / "a.png").shape == (3, 3)
    with pytest.raises(
        OutputError,
        match=r"would replace that of gpuseg.PredictionWriter, .* write to another folder",
    ):
        gpuseg.stats(tmp_path / "dst", report=tmp_path / "dst" / "gpuseg-report.jsonl")


def test_to_a_storage(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    dst = f"memory://{tmp_path.name}/dst"
    save_predictions(logits(0), names(0), dst, PALETTE)
    save_predictions(logits(1), names(0), dst, PALETTE)
    assert gpuseg.stats(dst).report.done == 3
    counted = [c.pixels for c in gpuseg.stats(dst).classes]
    assert counted == np.bincount(logits(1).argmax(1).ravel(), minlength=6).tolist()


BAD: list[tuple[Any, Any, type[Exception]]] = [
    (logits(1), names(1)[:2], UsageError),
    (logits(1), [*names(1), "more"], UsageError),
    (logits(1), ["a", "b", "../c"], UsageError),
    (logits(1), ["a", "b", "a.tif"], UsageError),
    (logits(1), ["a", "b", names(0)[2]], UsageError),
    (logits(1)[:, 0], names(1), LabelError),
    (np.full((3, 4, 4), 6), names(1), LabelError),
    (logits(1, channels=300), names(1), LabelError),
]


@pytest.mark.parametrize(("array", "called", "error"), BAD)
def test_a_bad_batch_is_refused_at_once_and_whole(
    tmp_path: Path, array: Any, called: Any, error: type[Exception]
) -> None:
    with PredictionWriter(tmp_path, PALETTE) as writer:
        writer.save(logits(0), names(0))
        with pytest.raises(error):
            writer.save(array, called)
        writer.save(logits(1), names(1))  # mended: its names are still free
    check(tmp_path, 2)
    assert len(read_report(tmp_path / "gpuseg-report.jsonl").files) == 6


def test_what_cannot_be_begun(tmp_path: Path) -> None:
    threads = threading.active_count()
    many = Palette.from_colours([(i % 256, i // 256, 0) for i in range(300)])
    (tmp_path / "file").write_text("")
    cases: list[tuple[Path, Any, dict[str, Any], type[Exception]]] = [
        (tmp_path / "dst", many, {}, PaletteSizeError),
        (tmp_path / "dst", "no such palette", {}, PaletteError),
        (tmp_path / "dst", PALETTE, {"queue": 0}, UsageError),
        (tmp_path / "dst", PALETTE, {"queue": True}, UsageError),
        (tmp_path / "dst", PALETTE, {"workers": 0}, UsageError),
        (tmp_path / "dst", PALETTE, {"ignore_index": 256}, UsageError),
        (tmp_path / "dst.tar", PALETTE, {}, UsageError),
        (tmp_path / "file", PALETTE, {}, UsageError),
        (tmp_path / "file" / "dst", PALETTE, {}, OutputError),
    ]
    for dst, palette, options, error in cases:
        with pytest.raises(error):
            PredictionWriter(dst, palette, **options)
    assert not (tmp_path / "dst").exists()
    assert threading.active_count() == threads
