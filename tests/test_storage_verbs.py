"""The verbs from and to buckets: each works, or says what it wants instead."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gpuseg
from tests.helpers import Finished, Place, palette_file, read_report
from tests.helpers import gpuseg as command
from tests.making import mask
from tests.s3 import Bucket


@pytest.fixture
def place(tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Masks and their label maps, in folders and below `in` and `out` of the bucket."""
    made = Place(tmp_path)
    made.good(3)
    assert made.convert().code == 0
    bucket.fill(made.src, "in")
    bucket.fill(made.dst, "out")
    bucket.put("palette.csv", made.palette.read_bytes())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return made


@pytest.fixture
def said(place: Place, bucket: Bucket) -> object:
    """Runs a line, in which IN and OUT are the bucket's, SRC and DST folders."""

    def run(line: str) -> Finished:
        names = {
            "IN": f"{bucket.url}/in",
            "OUT": f"{bucket.url}/out",
            "BUCKET": bucket.url,
            "SRC": str(place.src),
            "DST": str(place.dst),
            "PALETTE": str(place.palette),
        }
        words = []
        for word in line.split():
            first, slash, rest = word.partition("/")
            words.append(names.get(first, first) + slash + rest)
        finished = command(*words)
        assert "Traceback" not in finished.err
        assert list(Path.cwd().iterdir()) == [], "a URL became a path of this machine"
        return finished

    return run


SAME = [
    ("inspect {}", "IN", "SRC"),
    ("inspect {}/good0.png", "IN", "SRC"),
    ("scan {} --palette voc", "IN", "SRC"),
    ("scan {} --palette PALETTE --sample 2", "IN", "SRC"),
    ("stats {}", "OUT", "DST"),
    ("check {} --palette PALETTE", "OUT", "DST"),
    ("check {} --palette voc", "OUT", "DST"),
    ("verify {} DST", "IN", "SRC"),
]


@pytest.mark.parametrize(("line", "stored", "local"), SAME)
def test_what_looks_finds_the_same(said, line: str, stored: str, local: str) -> None:
    ours, theirs = said(line.format(stored)), said(line.format(local))
    assert ours.code == theirs.code
    told = ours.out.replace("; label maps of no mask were not looked for: SRC is in a storage", "")
    assert plain(told) == plain(theirs.out)


def plain(text: str) -> list[str]:
    """Lines without times, and without the command that names SRC."""
    text = re.sub(r" in [\d.]+ s \([^)]*\)", "", text)
    return [line for line in text.splitlines() if "gpuseg convert" not in line]


MADE = [
    ("colorize {0} {1} --palette PALETTE", "OUT", "DST"),
    ("recolor {0} {1} --palette PALETTE", "OUT", "DST"),
    ("repair {0} {1} --palette PALETTE", "IN", "SRC"),
    ("remap {0} {1} --map BUCKET/map.json", "OUT", "DST"),
    ("convert {0} {1} --palette BUCKET/palette.csv", "IN", "SRC"),
    ("colorize {0} {1}", "OUT", "DST"),
]


@pytest.mark.parametrize(("line", "stored", "local"), MADE)
def test_what_makes_files_makes_the_same(
    said, bucket: Bucket, place: Place, line: str, stored: str, local: str
) -> None:
    bucket.put("map.json", b'{"0": 5, "1": 1, "2": 0, "3": 3, "4": 4, "5": 2}')
    made = said(line.format(stored, "BUCKET/made"))
    assert (made.code, made.err) == (0, "")
    other = place.root / "made"
    assert said(line.format(local, other)).code == 0
    found = bucket.contents("made")
    assert len(found) == 3
    for name, data in found.items():
        (place.root / "fetched.png").write_bytes(data)
        with Image.open(place.root / "fetched.png") as ours, Image.open(other / name) as theirs:
            assert ours.mode == theirs.mode
            assert ours.getpalette() == theirs.getpalette()
            assert np.array_equal(np.asarray(ours), np.asarray(theirs))
    assert said(line.format(stored, "BUCKET/made")).out.startswith("3 unchanged")


REFUSED = [
    ("verify SRC OUT", "must be a folder of this machine"),
    ("verify IN OUT", "must be a folder of this machine"),
    ("report OUT", "must be on this machine"),
    ("report DST --src IN", "must be on this machine"),
    ("report DST --over IN", "must be on this machine"),
    ("report DST --run OUT/gpuseg-report.jsonl", "must be on this machine"),
    ("report DST --out BUCKET/page.html", "must be a place on this machine"),
    ("stats OUT --csv BUCKET/s.csv", "must be a place on this machine"),
    ("stats OUT --plots BUCKET/plots", "must be a place on this machine"),
    ("scan IN --propose BUCKET/p.json", "must be a place on this machine"),
    ("palettes voc --save BUCKET/v.json", "must be a place on this machine"),
    ("palettes voc --swatch BUCKET/v.png", "must be a place on this machine"),
    ("colorize OUT BUCKET/c --over IN", "on this machine"),
    ("convert IN BUCKET/c --palette BUCKET/none.csv", "does not exist"),
    ("remap OUT BUCKET/c --map BUCKET/none.csv", "does not exist"),
    ("convert IN BUCKET/c --palette s3://no-such-bucket-here/p.csv", "does not exist"),
    ("convert s3:// BUCKET/c --palette voc", "names no bucket"),
    ("convert IN s3://no-such-bucket-here/c --palette voc", "there is no bucket"),
    ("convert IN s3://no-such-bucket-here/c.tar --palette voc", "there is no bucket"),
    ("convert IN BUCKET/c --report s3://no-such-bucket-here/r.jsonl --palette voc", "no bucket"),
    ("convert IN S3://a/c --palette voc", "mend the URL"),
    ("convert IN nonsense://a/c --palette voc", "nonsense"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED)
def test_what_does_not_work_is_refused(said, bucket: Bucket, line: str, reason: str) -> None:
    before = bucket.keys()
    finished = said(line)
    assert finished.code == 2
    assert reason in finished.err
    assert finished.err.count("\n") == 1
    assert bucket.keys() == before


def test_reports_of_what_looks_go_to_a_bucket(said, bucket: Bucket, place: Place) -> None:
    assert said("stats OUT --report BUCKET/reports/s.jsonl").code == 0
    (place.root / "s.jsonl").write_bytes(bucket.get("reports/s.jsonl"))
    assert len(read_report(place.root / "s.jsonl").files) == 3
    refused = said("stats OUT --report OUT/gpuseg-report.jsonl")
    assert refused.code == 2
    assert "would replace that of `gpuseg convert`" in refused.err


def test_scan_reads_unknown_colours_where_they_lie(bucket: Bucket, tmp_path: Path) -> None:
    """Which needs the pixels again: colours between two others are antialiasing."""
    pixels = np.repeat(np.repeat(mask(24, 34), 4, 0), 4, 1)
    blended = Image.fromarray(pixels).resize((120, 90), Image.Resampling.BILINEAR)
    folder = tmp_path / "masks"
    folder.mkdir()
    blended.save(folder / "blended.png")
    bucket.fill(folder, "in")
    palette = gpuseg.load_palette(palette_file(tmp_path))
    local = gpuseg.scan(folder, palette=palette)
    stored = gpuseg.scan(f"{bucket.url}/in", palette=palette)
    assert local.lack is not None
    assert "in the files that were read again" in local.conclusion.words
    assert stored.conclusion.words == local.conclusion.words
    assert stored.notes == local.notes
    single = gpuseg.scan(f"{bucket.url}/in/blended.png", palette=palette)
    assert single.notes == local.notes


def test_a_label_map_is_saved_on_this_machine() -> None:
    with pytest.raises(gpuseg.errors.OutputError, match="on this machine"):
        gpuseg.save_label("s3://bucket/a.png", np.zeros((2, 2), np.uint8), "voc")
