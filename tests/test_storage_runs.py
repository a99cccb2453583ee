"""Whole runs from and to buckets, over HTTP, compared with the same runs between folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults import Request, seeded
from tests.helpers import read_report
from tests.making import save_mask
from tests.s3 import Bucket
from tests.stored import Stored, local

FILES = 6


@pytest.fixture
def place(tmp_path: Path, bucket: Bucket) -> Stored:
    made = Stored(tmp_path, bucket)
    (made.src / "notes.txt").write_text("not a mask")
    made.fill(FILES)
    return made


def test_bucket_to_bucket(place: Stored) -> None:
    run = place.to(place.inside, place.out)
    assert (run.code, run.err) == (0, "")
    assert f"label maps: {place.out}" in run.out
    place.check_same(place.bucket.contents("out"))
    report = place.stored_report()
    assert report.header["src"] == place.inside
    assert report.header["dst"] == place.out
    assert report.summary["left_alone"] == {".txt": 1}
    assert all("fetch" in row["seconds"] for row in report.files.values())
    assert place.bucket.proxy.count("PUT", ".png") == FILES, "one PUT a label map"
    assert place.bucket.proxy.count("GET", ".png") == FILES, "one GET a mask"
    assert place.bucket.proxy.count("HEAD", ".png") == 0


def test_bucket_to_folder(place: Stored) -> None:
    target = place.root / "other"
    assert place.to(place.inside, target).code == 0
    place.check_same(local(target))
    assert read_report(target / "gpuseg-report.jsonl").header["src"] == place.inside


def test_folder_to_bucket_has_the_same_bytes(place: Stored) -> None:
    assert place.to(place.src, place.out).code == 0
    assert place.bucket.contents("out") == place.want


def test_one_file(place: Stored) -> None:
    assert place.to(f"{place.inside}/good0.png", place.out).code == 0
    assert set(place.bucket.contents("out")) == {"good0.png"}


def test_a_second_run_redoes_only_what_changed(place: Stored) -> None:
    assert place.to(place.inside, place.out).code == 0
    place.bucket.proxy.log.clear()
    run = place.to(place.inside, place.out)
    assert run.code == 0
    assert place.stored_report().summary["files"]["unchanged"] == FILES
    assert place.bucket.proxy.count("PUT", ".png") == 0
    fetched = [r for r in place.bucket.proxy.log if "/in/" in r.path and r.method == "GET"]
    assert fetched == [], "a mask whose label map is there is not fetched"

    place.bucket.delete("out/good0.png")
    place.bucket.put("in/good2.png", save_mask(place.root / "new.png", 30, 31, 9).read_bytes())
    assert place.to(place.inside, place.out).code == 0
    done = {n for n, r in place.stored_report().files.items() if r["status"] == "converted"}
    assert done == {"good0.png", "good2.png"}


def test_a_foreign_target_is_replaced_only_when_asked(place: Stored) -> None:
    place.bucket.put("out/good0.png", b"somebody's")
    run = place.to(place.inside, place.out)
    assert run.code == 1
    assert place.bucket.get("out/good0.png") == b"somebody's"
    report = place.stored_report()
    assert report.failed() == ["good0.png"]
    assert "--overwrite" in report.files["good0.png"]["message"]
    assert place.to(place.inside, place.out, "--overwrite").code == 0
    place.check_same(place.bucket.contents("out"))


def test_a_foreign_file_in_the_place_of_the_report(place: Stored) -> None:
    place.bucket.put("out/gpuseg-report.jsonl", b"somebody's")
    run = place.to(place.inside, place.out)
    assert run.code == 2
    assert "no report of gpuseg" in run.err
    assert place.bucket.keys("out/") == ["out/gpuseg-report.jsonl"]


def test_verified(place: Stored) -> None:
    assert place.to(place.inside, place.out, "--verify").code == 0
    place.check_same(place.bucket.contents("out"))
    assert all("verify" in row["seconds"] for row in place.stored_report().files.values())


def test_a_dry_run_writes_nothing(place: Stored) -> None:
    run = place.to(place.inside, place.out, "--dry-run")
    assert run.code == 0
    assert place.bucket.keys("out/") == []
    assert place.bucket.proxy.count("PUT") == 0


def test_the_report_goes_where_it_is_told(place: Stored) -> None:
    named = f"{place.bucket.url}/reports/r.jsonl"
    assert place.to(place.src, place.root / "other", "--report", named).code == 0
    assert place.stored_report("reports/r.jsonl").summary["files"]["converted"] == FILES
    assert place.to(place.inside, place.out, "--report", str(place.root / "r.jsonl")).code == 0
    assert read_report(place.root / "r.jsonl").summary["files"]["converted"] == FILES
    assert "gpuseg-report" not in "".join(place.bucket.keys("out/"))


def test_dst_inside_src_is_not_converted_again(place: Stored) -> None:
    for _ in range(2):
        assert place.to(place.inside, f"{place.inside}/out").code == 0
    assert set(place.bucket.contents("in/out")) == set(place.want)


@pytest.mark.parametrize(
    ("src", "dst", "reason"),
    [
        ("in", "in", "must not be SRC"),
        ("in", "in/", "must not be SRC"),
        ("in/sub", "in", "must not lie inside DST"),
        ("in", "out.png", "a name for a file"),
    ],
)
def test_places_between_which_inputs_could_be_overwritten(
    place: Stored, src: str, dst: str, reason: str
) -> None:
    run = place.to(f"{place.bucket.url}/{src}", f"{place.bucket.url}/{dst}")
    assert run.code == 2
    assert reason in run.err


def test_hostile_keys_fail_alone(place: Stored) -> None:
    hostile = ["in/../x.png", "in//y.png", f"in/{'z' * 300}.png", "in/a?versionId=1.png"]
    for key in hostile:
        place.bucket.put(key, place.bucket.get("in/good0.png"))
    run = place.to(place.inside, place.root / "other")
    assert run.code == 1
    assert "Traceback" not in run.err
    report = read_report(place.root / "other" / "gpuseg-report.jsonl")
    assert report.failed() == sorted(key.removeprefix("in/") for key in hostile)
    place.check_same(local(place.root / "other"))
    assert not (place.root / "x.png").exists()


def test_names_that_collide(place: Stored) -> None:
    place.bucket.put("in/good0.bmp", b"")
    run = place.to(place.inside, place.out)
    assert run.code == 1
    assert place.stored_report().failed() == ["good0.bmp", "good0.png"]


def test_damaged_and_vanished_masks_fail_alone(place: Stored) -> None:
    whole = place.bucket.get("in/good0.png")
    place.bucket.put("in/cut.png", whole[: len(whole) // 2])
    place.bucket.put("in/empty.png", b"")
    place.bucket.put("in/gone.png", whole)

    def vanish(request: Request) -> str | None:
        if "list-type" in request.query and "in%2F" in request.query:
            return None
        if request.path.endswith("/in/gone.png"):
            place.bucket.delete("in/gone.png")
        return None

    place.bucket.proxy.plan = vanish
    assert place.to(place.inside, place.out).code == 1
    report = place.stored_report()
    assert report.failed() == ["cut.png", "empty.png", "gone.png"]
    assert "not there any more" in report.files["gone.png"]["message"]
    place.check_same(place.bucket.contents("out"))


@pytest.mark.parametrize("seed", range(3))
def test_faults_that_pass_change_nothing(place: Stored, seed: int) -> None:
    place.bucket.proxy.plan = seeded(seed, 0.5)
    run = place.to(place.inside, place.out, "--verify")
    assert run.code == 0, run
    assert sum(place.bucket.proxy.faults.values()) > 3
    place.check_same(place.bucket.contents("out"))
    assert place.stored_report().summary["files"]["converted"] == FILES


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_fault_that_stays_is_one_failed_row(place: Stored, method: str) -> None:
    ending = {"GET": "/in/good0.png", "PUT": "/out/good0.png"}[method]
    place.bucket.proxy.plan = lambda r: (
        "denied" if r.method == method and r.path.endswith(ending) else None
    )
    run = place.to(place.inside, place.out)
    assert run.code == 1
    report = place.stored_report()
    assert report.failed() == ["good0.png"]
    assert "denied" in report.files["good0.png"]["message"].lower()
    place.check_same(place.bucket.contents("out"), "good0.png")
    place.bucket.proxy.plan = lambda r: None
    assert place.to(place.inside, place.out).code == 0
    assert place.stored_report().summary["files"]["unchanged"] == FILES - 1


def test_a_listing_that_breaks_off_is_not_the_end(place: Stored) -> None:
    place.bucket.proxy.plan = lambda r: (
        "denied" if "prefix=in%2F&max-keys=1000" in r.query else None
    )
    run = place.to(place.inside, place.out)
    assert run.code == 1
    assert "Traceback" not in run.err
    assert place.stored_report().failed() == ["."]


def test_a_report_that_does_not_arrive_is_told(place: Stored) -> None:
    place.bucket.proxy.plan = lambda r: (
        "denied" if r.method == "PUT" and r.path.endswith(".jsonl") else None
    )
    run = place.to(place.inside, place.out, "--json")
    assert run.code == 1
    assert "gpuseg-report.jsonl" in json.loads(run.out)["problem"]
    place.check_same(place.bucket.contents("out"))


def test_memory_stays_on_threads(place: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpuseg import processes, storage

    for limit, value in (("PATIENCE", 0.0), ("ENOUGH", 1), ("TIMES_DONE", 0)):
        monkeypatch.setattr(processes, limit, value)
    monkeypatch.setattr(processes, "Worker", None)  # none can be started
    for name in place.want:
        storage.write(f"memory://runs/in/{name}", (place.src / name).read_bytes())
    assert place.to("memory://runs/in", "memory://runs/out").code == 0
    found = {e.relative: storage.read(e.path) for e in storage.entries("memory://runs/out")}
    del found["gpuseg-report.jsonl"]
    place.check_same(found)
