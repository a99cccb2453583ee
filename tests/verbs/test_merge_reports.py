"""`merge_reports`: a job that was divided, told as if it had not been."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuseg
from gpuseg.errors import OutputError, UsageError
from gpuseg.output import PREFIX
from gpuseg.palettes.of_run import palette_of_run
from gpuseg.report_file import ReportWriter
from gpuseg.verbs import merge_reports as module
from tests.helpers import Lines, Place, check_exact, read_report
from tests.making import PALETTE, save_mask
from tests.merging.making import row, write_run
from tests.verbs.pages import outline


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Masks, and what fails: an empty file, unknown colours, a collision."""
    place = Place(tmp_path_factory.mktemp("job"))
    place.good(9)
    (place.src / "empty.png").write_bytes(b"")
    (place.src / "notes.txt").write_text("left alone")
    save_mask(place.src / "two.bmp")
    save_mask(place.src / "two.tif")
    return place


def convert(place: Place, dst: Path, report: Path, shard: str = "1/1") -> Lines:
    gpuseg.convert_directory(
        place.src, dst, PALETTE, report=report, device="cpu", workers=1,
        shard=gpuseg.Shard.parse(shard),
    )  # fmt: skip
    return read_report(report)


@pytest.fixture(scope="module")
def plain(place: Place) -> Lines:
    """The same job in one run."""
    return convert(place, place.root / "plain", place.root / "plain.jsonl")


def statuses(lines: Lines) -> dict[str, str]:
    return {name: found["status"] for name, found in lines.files.items()}


Runs = list[tuple[int, float]]


@st.composite
def schedules(draw: st.DrawFn) -> tuple[int, Runs]:
    """How many shards, and runs of them: (shard, part of its report that a kill left, 1 = all)."""
    count = draw(st.integers(1, 4))
    shares = st.floats(0, 1, exclude_max=True)
    killed = st.lists(st.tuples(st.integers(1, count), shares), max_size=3)
    again = st.lists(st.tuples(st.integers(1, count), st.just(1.0)), max_size=2)
    whole = [(number, 1.0) for number in range(1, count + 1)]
    return count, draw(st.permutations([*draw(killed), *draw(again), *whole]))


def cut(report: Path, share: float) -> None:
    """What a kill leaves of a report: its head, and a part of the rest, not of whole lines."""
    head, rest = report.read_bytes().split(b"\n", 1)
    report.write_bytes(head + b"\n" + rest[: int(share * len(rest))])


def rows_of(report: Path) -> Iterator[dict[str, Any]]:
    for line in report.read_bytes().split(b"\n"):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if found["type"] == "file":
            yield found


@settings(max_examples=60)
@given(schedules())
def test_it_tells_what_one_run_would(
    place: Place, plain: Lines, schedule: tuple[int, Runs]
) -> None:
    count, runs = schedule
    with tempfile.TemporaryDirectory(dir=place.root) as folder:
        dst, reports = Path(folder, "dst"), []
        for turn, (number, share) in enumerate(runs):
            report = Path(folder, f"{turn}.jsonl")
            convert(place, dst, report, f"{number}/{count}")
            if share < 1:
                cut(report, share)
            reports.append(report)
        merged = gpuseg.merge_reports(reversed(reports), Path(folder, "all.jsonl"))
        assert merged.path is not None
        lines = read_report(merged.path)
        told = [found for report in reports for found in rows_of(report)]
        place.dst = dst
        check_exact(place)
    # a file whose row was lost with the run that made it was `unchanged` ever after
    made = {found["source"] for found in told if found["status"] == "converted"}
    want = {
        name: "unchanged" if status == "converted" and name not in made else status
        for name, status in statuses(plain).items()
    }
    assert statuses(lines) == want
    assert (merged.exit_code, merged.problem) == (1, "")
    assert lines.summary["left_alone"] == plain.summary["left_alone"]
    assert sum(run["files"] for run in lines.summary["hosts"].values()) == len(want)
    for name, found in lines.files.items():
        (kept,) = [each for each in told if {**each, "run": found["run"]} == found][-1:]
        assert kept["source"] == name


@pytest.mark.parametrize(
    ("src", "want"),  # a folder is gone through by each shard, an archive by one of them
    [("/s", {".json": 3, ".txt": 1}), ("/s/{0..1}.tar", {".json": 5, ".txt": 1})],
)
def test_other_files_of_folders_and_archives(
    tmp_path: Path, src: str, want: dict[str, int]
) -> None:
    told = [("1/2", {".json": 3}), ("2/2", {".json": 2, ".txt": 1}), ("2/2", {})]
    reports = [
        write_run(
            tmp_path / f"{i}.jsonl", row(f"{i}.png"), shard=shard, src=src, second=i,
            end={"left_alone": left},
        )
        for i, (shard, left) in enumerate(told)
    ]  # fmt: skip
    assert gpuseg.merge_reports(reports, tmp_path / "all.jsonl").left_alone == want


def test_the_totals_are_those_of_one_run(place: Place, plain: Lines, tmp_path: Path) -> None:
    for number in (2, 3, 1):
        report = tmp_path / "dst" / f"gpuseg-report-{number}-of-3.jsonl"
        convert(place, tmp_path / "dst", report, f"{number}/3")
    merged = gpuseg.merge_reports(tmp_path / "dst")
    lines = read_report(tmp_path / "dst" / "gpuseg-report.jsonl")
    same = set(plain.summary) - {"seconds", "remark"}
    assert {key: lines.summary[key] for key in same} == {key: plain.summary[key] for key in same}
    assert merged.failures[0].message
    assert sorted(f.source for f in merged.failures) == plain.failed()
    assert [run["shard"] for run in lines.header["merged"]] == ["2/3", "3/3", "1/3"]
    assert lines.header["options"]["unknown"] == "error"


def test_a_page_of_it_counts_no_file_twice(place: Place, tmp_path: Path) -> None:
    dst = tmp_path / "dst"
    for number in (1, 2):
        convert(place, dst, dst / f"gpuseg-report-{number}-of-2.jsonl", f"{number}/2")
    before = outline(gpuseg.report(dst)).text
    gpuseg.merge_reports(dst)
    page = outline(gpuseg.report(dst))
    for words in ("9 files", "converted", "gpuseg-report-2-of-2.jsonl"):
        assert words in before
        assert words in page.text
    assert "in 2 runs" in page.text
    assert gpuseg.verify(place.src, dst).files["same"] == 9
    for report in dst.glob("*-of-*.jsonl"):
        report.unlink()
    found = palette_of_run(dst)
    assert found is not None
    assert found.classes == PALETTE.classes


@pytest.mark.parametrize("verb", ["verify", "recolor"])
def test_other_verbs_are_divided_too(place: Place, tmp_path: Path, verb: str) -> None:
    dst = tmp_path / "dst"
    convert(place, dst, tmp_path / "run.jsonl")
    for number in (1, 2, 3):
        shard, report = gpuseg.Shard(number, 3), tmp_path / f"gpuseg-report-{number}-of-3.jsonl"
        if verb == "verify":
            gpuseg.verify(place.src, dst, palette=PALETTE, shard=shard, report=report)
        else:
            gpuseg.recolor(dst, tmp_path / "other", "voc", shard=shard, report=report)
    merged = gpuseg.merge_reports(tmp_path)
    assert merged.problem == ""
    assert merged.files["same" if verb == "verify" else "converted"] == 9
    assert read_report(tmp_path / "gpuseg-report.jsonl").header["verb"] == verb


def test_missing_shards_are_told_and_wrong(tmp_path: Path) -> None:
    write_run(tmp_path / "gpuseg-report-2-of-4.jsonl", row("a"), shard="2/4")
    write_run(tmp_path / "gpuseg-report-3-of-4.jsonl", row("b"), shard="3/4", end=False)
    merged = gpuseg.merge_reports(tmp_path)
    assert merged.exit_code == 1
    assert merged.problem == (
        "no report of shards 1, 4 of 4 and no whole report of shard 3 of 4; run them again with "
        "the same command, and merge again"
    )
    assert merged.problem in merged.summary()
    assert read_report(tmp_path / "gpuseg-report.jsonl").summary["problem"] == merged.problem


def test_nothing_found_is_wrong_in_all_shards_together_only(tmp_path: Path) -> None:
    one = write_run(tmp_path / "1.jsonl", shard="1/2")
    two = write_run(tmp_path / "2.jsonl", shard="2/2")
    assert gpuseg.merge_reports([one, two]).exit_code == 1
    write_run(two, row("a"), shard="2/2")
    assert gpuseg.merge_reports([one, two]).exit_code == 0


def test_logs_and_what_is_no_row(tmp_path: Path) -> None:
    path = write_run(tmp_path / "1.jsonl", row("a"), {"type": "log", "message": "m"}, {"type": "x"})
    merged = gpuseg.merge_reports(path, tmp_path / "all.jsonl")
    assert "lines that are no rows: 1" in merged.remark
    assert "no whole report of the only shard" in merged.problem
    assert read_report(tmp_path / "all.jsonl").log == ["m"]


def test_a_report_still_being_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gpuseg-report-1-of-2.jsonl"
    write_run(path, row("a"), shard="1/2", end=False)

    def grows(parts: list[Any]) -> list[list[Any]]:
        with path.open("a") as file:
            file.write(json.dumps(row("b")) + "\n")
        return [parts]

    monkeypatch.setattr(module, "groups", grows)
    with pytest.raises(UsageError, match="its run is still under way"):
        gpuseg.merge_reports(tmp_path)
    assert os.listdir(tmp_path) == [path.name]


def test_what_may_be_replaced(tmp_path: Path) -> None:
    one = write_run(tmp_path / "gpuseg-report-1-of-1.jsonl", row("a"))
    target = tmp_path / "gpuseg-report.jsonl"
    gpuseg.merge_reports(tmp_path)
    gpuseg.merge_reports(tmp_path)  # a merged one
    with pytest.raises(UsageError, match="is merged already"):
        gpuseg.merge_reports([one, target], tmp_path / "new.jsonl")
    with pytest.raises(OutputError, match="one of the reports that are merged"):
        gpuseg.merge_reports(tmp_path, one)
    (tmp_path / "text").write_text("precious")
    with pytest.raises(OutputError, match="and is no merged report; name another place with --out"):
        gpuseg.merge_reports(tmp_path, tmp_path / "text")
    with ReportWriter(target, {"verb": "convert"}):
        pass
    with pytest.raises(OutputError, match="the report of a run that is not among those merged"):
        gpuseg.merge_reports(tmp_path)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(PREFIX)]


def test_verbs_that_look_do_not_replace_it(place: Place, tmp_path: Path) -> None:
    dst = tmp_path / "dst"
    convert(place, dst, dst / "gpuseg-report-1-of-1.jsonl")
    gpuseg.merge_reports(dst)
    with pytest.raises(OutputError, match="would replace that of `gpuseg convert`"):
        gpuseg.stats(dst, report=dst / "gpuseg-report.jsonl")


def test_folders_without_shards_and_reports_of_several_folders(tmp_path: Path) -> None:
    one = write_run(tmp_path / "a" / "gpuseg-report-1-of-2.jsonl", row("a"), shard="1/2")
    two = write_run(tmp_path / "b" / "gpuseg-report-2-of-2.jsonl", row("b"), shard="2/2")
    with pytest.raises(UsageError, match="lie in 2 folders; say where"):
        gpuseg.merge_reports([one, two])
    assert gpuseg.merge_reports([one.parent, two], tmp_path / "all.jsonl").done == 2
    with pytest.raises(UsageError, match="holds no report of a shard"):
        gpuseg.merge_reports(tmp_path)
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        gpuseg.merge_reports(one, tmp_path / "nowhere" / "all.jsonl")


def test_too_many_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HEAD", 100)
    one = write_run(tmp_path / "gpuseg-report-1-of-1.jsonl")
    with pytest.raises(UsageError, match="1 reports are too many for one"):
        gpuseg.merge_reports(one)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    one = write_run(tmp_path / "1.jsonl", row("\udcff.png"), row("ä"))
    two = write_run(tmp_path / "2.jsonl", row("\udcff.png", "unchanged"), second=1)
    gpuseg.merge_reports([one, two])
    lines = read_report(tmp_path / "gpuseg-report.jsonl")
    assert statuses(lines) == {"\udcff.png": "converted", "ä": "converted"}
    assert lines.summary["runs"][0]["files"] == {"converted": 2}
