from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg import storage
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.codecs.label_png import write_label
from gpuseg.destinations import Found, LocalFolder, Returned, StoredFolder, destination
from gpuseg.discover import Source
from gpuseg.errors import OutputError, UsageError
from gpuseg.folders import Folders
from tests.faults import Request
from tests.making import PALETTE, indices
from tests.s3 import Bucket

MARK = Fingerprint(b"0123456789abcdef", 7)
OURS = write_label(indices(5, 6), PALETTE.plte(255), MARK)


@pytest.fixture
def stored(bucket: Bucket) -> StoredFolder:
    return StoredFolder(f"{bucket.url}/out")


def test_what_is_found_is_told_by_its_first_bytes(bucket: Bucket, stored: StoredFolder) -> None:
    target = stored.path("a/b.png")
    assert target == f"{bucket.url}/out/a/b.png"
    assert stored.look(target) is None
    stored.write(target, OURS + b"\0" * 5_000_000)
    assert stored.look(target) == Found(MARK)
    bucket.put("out/a/b.png", b"\x89PNG of another")
    assert stored.look(target) == Found(None)
    bucket.put("out/a/b.png", b"")
    found = stored.look(target)
    assert found is not None
    assert found.fingerprint == Fingerprint(b"")


def test_a_target_is_one_put(bucket: Bucket, stored: StoredFolder) -> None:
    assert stored.write(stored.path("a.png"), OURS) is None
    assert [(r.method, r.path) for r in bucket.proxy.log] == [("PUT", f"/{bucket.name}/out/a.png")]
    assert bucket.get("out/a.png") == OURS


def test_what_fails_its_check_is_never_seen(bucket: Bucket, stored: StoredFolder) -> None:
    def refuse(data: str | bytes) -> None:
        assert data == OURS
        raise OutputError("it holds other labels")

    with pytest.raises(OutputError, match="other labels"):
        stored.write(stored.path("a.png"), OURS, refuse)
    assert bucket.proxy.log == []


def test_what_reads_back_otherwise_is_removed(bucket: Bucket, stored: StoredFolder) -> None:
    def change(request: Request) -> None:
        if request.method == "GET":
            bucket.put("out/a.png", OURS[:-1])

    bucket.proxy.plan = change
    with pytest.raises(OutputError, match="other bytes were read back, so it was removed"):
        stored.write(stored.path("a.png"), OURS, lambda data: None)
    assert bucket.keys() == []


def test_a_storage_that_refuses_is_an_output_error(bucket: Bucket, stored: StoredFolder) -> None:
    bucket.proxy.plan = lambda request: "denied"
    with pytest.raises(OutputError, match=r"cannot be written: .*Denied|Forbidden.*another DST"):
        stored.write(stored.path("a.png"), OURS)
    with pytest.raises(OutputError, match="cannot be read"):
        stored.look(stored.path("a.png"))
    with pytest.raises(UsageError, match="cannot be looked at"):
        destination(stored.dst)


def test_an_empty_place_is_not_asked_for_each_target(bucket: Bucket) -> None:
    empty = destination(f"{bucket.url}/out")
    assert empty == StoredFolder(f"{bucket.url}/out", was_empty=True)
    asked = len(bucket.proxy.log)
    assert empty.look(empty.path("a.png")) is None
    assert len(bucket.proxy.log) == asked
    bucket.put("out/b.png", b"")
    assert destination(f"{bucket.url}/out") == StoredFolder(f"{bucket.url}/out")


def test_a_bucket_that_is_not_there_is_told_at_once(bucket: Bucket) -> None:
    with pytest.raises(UsageError, match="there is no bucket no-such-bucket-here"):
        destination("s3://no-such-bucket-here/out")


def test_a_target_that_is_the_input(stored: StoredFolder, tmp_path: Path) -> None:
    source = Source(stored.path("a.png"), "a.png")
    assert stored.is_input(stored.path("a.png"), source)
    assert not stored.is_input(stored.path("b.png"), source)
    local = LocalFolder(str(tmp_path), Folders(str(tmp_path)))
    (tmp_path / "a.png").write_bytes(b"")
    assert local.is_input(local.path("a.png"), Source(str(tmp_path / "a.png"), "a.png"))
    assert not local.is_input(local.path("a.png"), source)


def test_what_goes_back_to_the_run_is_checked_first() -> None:
    back, seen = Returned(), list[str | bytes]()
    assert back.path("a/b.png") == "a/b.png"
    back.look("a/b.png")
    assert back.write("a/b.png", OURS, seen.append) == OURS
    assert seen == [OURS]


def test_memory_is_a_place_too() -> None:
    pytest.importorskip("fsspec", reason="needs the extra storage")
    place = destination("memory://destinations/out")
    assert isinstance(place, StoredFolder)
    assert place.was_empty
    place.write(place.path("a.png"), OURS)
    assert storage.read("memory://destinations/out/a.png") == OURS
    assert not destination("memory://destinations/out").was_empty  # type: ignore[attr-defined]
