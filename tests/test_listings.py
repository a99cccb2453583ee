from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg import listings, storage
from gpuseg.answers import Entry
from gpuseg.discover import Source
from gpuseg.errors import CollisionError, UnreadableMaskError
from gpuseg.listings import Listing
from gpuseg.names import why_unsafe
from gpuseg.taking import takes, target_key, target_name
from tests.s3 import Bucket

PLACE = "s3://bucket/in"


def listed(keys: list[str], **more: object) -> dict[str, Source]:
    """What a listing makes of keys that come sorted, as S3 sorts them."""

    def entries(url: str, at_once: int = 1000) -> Iterator[Entry]:
        for key in sorted(keys, key=str.encode):
            yield Entry(f"{url}/{key}", key, 1, 1, "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "entries", entries)
        found = list(Listing(PLACE, **more))  # type: ignore[arg-type]
    assert len({source.relative for source in found}) == len(found)
    return {source.relative: source for source in found}


def is_taken(key: str) -> bool:
    hidden = any(part.startswith(".") and part.strip(".") for part in key.split("/"))
    return takes(key.rpartition("/")[2], None) and not hidden


def colliding(keys: list[str], folds_case: bool) -> set[str]:
    """The plain way: all targets of all files that are taken."""
    taken = [key for key in keys if is_taken(key)]
    files = defaultdict(list)
    for key in taken:
        files[target_key(key, folds_case)].append(key)
    return {key for same in files.values() if len(same) > 1 for key in same}


def collisions(found: dict[str, Source]) -> set[str]:
    return {name for name, s in found.items() if isinstance(s.error, CollisionError)}


STEMS = [
    "a",
    "b",
    "a.b",
    "a-1",
    "A",
    "a.png",
    "a b",
    "a/a",
    "a/b",
    "z",
    "a!",
    "a~",
    "ä",
    ".a",
    "b.",
]
ENDS = [".png", ".jpg", ".PNG", ".bmp", ".tif", "", ".txt", ".png.png", ".jpg.png"]
KEYS = st.lists(
    st.builds("".join, st.tuples(st.sampled_from(STEMS), st.sampled_from(ENDS))), unique=True
)


@given(KEYS, st.booleans())
def test_collisions_are_those_of_the_plain_way(keys: list[str], folds_case: bool) -> None:
    found = listed(keys, folds_case=folds_case)
    assert collisions(found) == colliding(keys, folds_case)
    assert set(found) == set(filter(is_taken, keys))


LETTERS = st.text("ab./-pngPjA!", max_size=9)


@given(st.lists(st.builds("{}{}".format, LETTERS, st.sampled_from([".png", ".jpg"])), unique=True))
def test_collisions_of_any_names(keys: list[str]) -> None:
    want = colliding(keys, folds_case=False)
    assert collisions(listed(keys)) == {key for key in want if not why_unsafe(key)}


@given(st.lists(st.builds("{}{}".format, LETTERS, st.sampled_from(["", "n", ".x"])), unique=True))
def test_collisions_under_a_pattern(keys: list[str]) -> None:
    files = defaultdict(list)
    for key in keys:
        files[target_name(key)].append(key)
    want = {key for same in files.values() if len(same) > 1 for key in same}
    found = collisions(listed(keys, pattern="*"))
    assert found == {key for key in want if not why_unsafe(key)}


def test_a_long_stretch_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "AT_ONCE", 4)
    keys = [f"a.{i}.png" for i in range(30)] + ["a.bmp", "a.png"]
    found = listed(keys)
    assert set(found) == set(keys)
    assert isinstance(found["a.png"].error, CollisionError)


def test_left_alone_are_counted() -> None:
    left: Counter[str] = Counter()
    listed(["a.png", "a.txt", "b.json", ".c.png", ".d/e.png", "f"], left_alone=left)
    assert left == {".txt": 1, ".json": 1, "hidden": 2, "": 1}


def test_dst_inside_src_is_passed_over() -> None:
    keys = ["a.png", "out/a.png", "out/b/c.png", "outer.png", "z/out/a.png"]
    found = listed(keys, skip=f"{PLACE}/out/")
    assert set(found) == {"a.png", "outer.png", "z/out/a.png"}


HOSTILE = ["../x.png", "/x.png", "a//b.png", "./a.png", "a/../../x.png", "a\\b.png"]


@pytest.mark.parametrize("key", [*HOSTILE, f"{'x' * 300}.png"])
def test_a_key_that_is_no_name_of_a_file_fails_alone(bucket: Bucket, key: str) -> None:
    bucket.put(f"in/{key}", b"")
    bucket.put("in/good.png", b"")
    found = {source.relative: source for source in Listing(f"{bucket.url}/in")}
    assert set(found) == {key, "good.png"}
    assert found["good.png"].error is None
    assert isinstance(found[key].error, UnreadableMaskError)
    assert "rename it" in str(found[key].error)


def test_what_a_bucket_says_of_a_file(bucket: Bucket) -> None:
    bucket.put("in/sub/a.png", b"12345")
    [source] = Listing(f"{bucket.url}/in/")
    assert source.relative == "sub/a.png"
    assert source.path == f"{bucket.url}/in/sub/a.png"
    assert source.size == 5
    before = source.state
    bucket.put("in/sub/a.png", b"54321")
    [source] = Listing(f"{bucket.url}/in")
    assert source.state != before, "the ETag tells, though size and second are the same"


def test_a_listing_that_breaks_off_is_told(bucket: Bucket) -> None:
    for i in range(1_001):
        bucket.put(f"in/{i:04d}.png", b"")
    bucket.proxy.plan = lambda request: "denied" if "continuation" in request.query else None
    *good, broken = Listing(f"{bucket.url}/in")
    assert len(good) == 1_000
    assert "broke off after 1,000 files" in str(broken.error)
