"""Which column of a Parquet file holds the masks."""

from __future__ import annotations

from typing import Any

import pytest

from gpuseg.errors import UsageError
from tests.archives.parquet.tables import (
    IMAGE,
    ROWS,
    features,
    image,
    pa,
    packed,
    read,
    table,
)


def test_the_column_is_chosen_where_only_one_can_be() -> None:
    images = {"photo": (IMAGE, [image(b"photo")]), "mask": (IMAGE, [image(b"mask")])}
    with pytest.raises(UsageError, match=r"has 2 columns of images, photo, mask; say .* --column"):
        read(packed(table(images)))
    assert [m.data for m in read(packed(table(images)), column="mask")] == [b"mask"]


def test_features_tell_images_from_sounds_and_bytes() -> None:
    columns = {
        "sound": (IMAGE, [image(b"sound")]),
        "mask": (IMAGE, [image(b"mask")]),
        "code": (pa.binary(), [b"code"]),
    }
    told = features(
        sound={"_type": "Audio"}, mask={"_type": "Image"}, code={"_type": "Value"}, gone=3
    )
    assert [m.data for m in read(packed(table(columns, told)))] == [b"mask"]
    del columns["mask"]  # no image is told of: bytes may be one, a sound is none
    assert [m.data for m in read(packed(table(columns, told)))] == [b"code"]
    assert [m.data for m in read(packed(table(columns, told)), column="sound")] == [b"sound"]


@pytest.mark.parametrize(
    "told",
    [b"", b"\xff", b"[]", b"{}", b'{"info": 3}', b'{"info": {"features": [1]}}', b"[" * 9999],
)
def test_features_that_cannot_be_read_tell_nothing(told: bytes) -> None:
    made = table({"mask": (IMAGE, ROWS), "n": (pa.int8(), [1, 2, 3])}, {b"huggingface": told})
    assert len(read(packed(made))) == 3


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.list_(IMAGE), [image(b"x")]),
        (pa.list_(pa.uint8()), [1]),
        (pa.string(), "x"),
        (pa.struct([("bytes", pa.binary()), ("height", pa.int32())]), {"bytes": b"x"}),
        (pa.struct([("bytes", pa.string())]), {"bytes": "x"}),
        (pa.struct([("bytes", pa.binary()), ("path", pa.int8())]), {"bytes": b"x"}),
        (pa.struct([("path", pa.string())]), {"path": "x"}),
    ],
    ids=str,
)
def test_what_is_no_column_of_images_is_refused(kind: Any, value: Any) -> None:
    data = packed(table({"mask": (kind, [value]), "n": (pa.int8(), [1])}))
    with pytest.raises(UsageError, match=r"has no column of encoded images .* it has mask \("):
        read(data)
    with pytest.raises(UsageError, match=r"column 'mask' is of type .* masks are taken from"):
        read(data, column="mask")


def test_columns_that_are_not_there_or_there_twice() -> None:
    with pytest.raises(UsageError, match=r"has no column 'masks'; it has mask \(struct"):
        read(packed(table({"mask": (IMAGE, ROWS)})), column="masks")
    twice = pa.Table.from_arrays([pa.array([b"x"])] * 2, names=["mask", "mask"])
    with pytest.raises(UsageError, match="several columns of one name, mask; rename"):
        read(packed(twice), column="mask")


def test_a_column_named_like_a_field_is_told_from_it() -> None:
    made = table({"mask.bytes": (pa.binary(), [b"4", b"5", b"6"]), "mask": (IMAGE, ROWS)})
    found = [m.data for m in read(packed(made), column="mask")]
    assert found == [b"a", b"b", b"c"]
    assert [m.data for m in read(packed(made), column="mask.bytes")] == [b"4", b"5", b"6"]
