"""The task of counting labels, by either way into a file."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.discover import Source
from gpuseg.errors import BrokenMaskError, MaskSizeError, UnreadableMaskError
from gpuseg.frequencies.label_counts import Counting, count_label_map
from gpuseg.options import ReadOptions
from tests.making import indices
from tests.pngs import GREY, PALETTE, assemble, chunk, filtered, ihdr, interlaced, zlib_stream

LIMIT = 1 << 20
PLTE = bytes(range(18))


def write(path: Path, labels: np.ndarray, kind: int, filters: list[int]) -> str:
    """A PNG of 8 bits whose rows have these filters, taken in turn."""
    height, width = labels.shape
    data = zlib_stream(filtered(labels, 1, np.resize(filters, height).tolist()))
    extra = [chunk(b"PLTE", PLTE)] if kind == PALETTE else []
    path.write_bytes(assemble(ihdr(width, height, 8, kind), *extra, chunk(b"IDAT", data)))
    return str(path)


@pytest.mark.parametrize("kind", [PALETTE, GREY])
@pytest.mark.parametrize("filters", [[0], [1], [2], [3], [4], [4, 1, 3, 2, 0]])
def test_pngs_of_8_bits(tmp_path: Path, kind: int, filters: list[int]) -> None:
    labels = indices(31, 77)
    held, fields = count_label_map(write(tmp_path / "a.png", labels, kind, filters), LIMIT)
    values, pixels = np.unique(labels, return_counts=True)
    assert held.indices == tuple(values.tolist())
    assert held.pixels == tuple(pixels.tolist())
    assert held.bits == 8
    assert held.colours == (PLTE if kind == PALETTE else b"")
    assert fields == {"width": 77, "height": 31, "format": "PNG", "codec": "png", "warnings": ()}


def test_images_larger_than_a_block(tmp_path: Path) -> None:
    labels = indices(900, 1000)
    held, _ = count_label_map(write(tmp_path / "a.png", labels, GREY, [4, 0, 2, 1, 3]), LIMIT)
    assert held.pixels == tuple(np.bincount(labels.ravel()).tolist())


def test_what_only_pillow_reads(tmp_path: Path) -> None:
    labels = indices(13, 9)  # class 1 is not in it
    data = zlib_stream(interlaced(labels[..., None], 8))
    header = ihdr(9, 13, 8, PALETTE, 0, 0, 1)
    (tmp_path / "a.png").write_bytes(assemble(header, chunk(b"PLTE", PLTE), chunk(b"IDAT", data)))
    held, fields = count_label_map(str(tmp_path / "a.png"), LIMIT)
    assert held.pixels == tuple(np.unique(labels, return_counts=True)[1].tolist())
    assert (held.colours, fields["codec"]) == (PLTE[:3] + PLTE[6:], "pillow")


def test_a_position_outside_the_palette_has_no_colour(tmp_path: Path) -> None:
    held, _ = count_label_map(
        write(tmp_path / "a.png", np.array([[0, 5, 6, 200]], np.uint8), PALETTE, [0]), LIMIT
    )
    assert (held.indices, held.colours) == ((0, 5, 6, 200), PLTE[:3] + PLTE[15:])


def test_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    labels = indices(8, 8)
    rows = bytearray(filtered(labels, 1, [0] * 8))
    rows[9] = 7
    parts = ihdr(8, 8, 8, GREY), chunk(b"IDAT", zlib_stream(bytes(rows)))
    path.write_bytes(assemble(*parts))
    with pytest.raises(BrokenMaskError, match="filter that PNG does not know"):
        count_label_map(str(path), LIMIT)
    path.write_bytes(assemble(parts[0], chunk(b"IDAT", zlib_stream(bytes(rows[:30])))))
    with pytest.raises(BrokenMaskError):
        count_label_map(str(path), LIMIT)
    Image.fromarray(labels).save(path)
    with pytest.raises(MaskSizeError):
        count_label_map(str(path), 63)
    with pytest.raises(UnreadableMaskError):
        count_label_map(str(tmp_path / "none.png"), LIMIT)


def test_the_task_raises_nothing_and_can_be_sent(tmp_path: Path) -> None:
    task = pickle.loads(pickle.dumps(Counting(ReadOptions())))
    gone = task.run(Source(str(tmp_path / "none.png"), "none.png"))
    assert (gone.status, gone.error) == ("failed", "unreadable")
    broken = Source("a", "a", error=UnreadableMaskError("is a folder"))
    assert task.run(broken).message == "is a folder"
    write(tmp_path / "a.png", indices(4, 5), GREY, [0])
    done = pickle.loads(pickle.dumps(task.run(Source(str(tmp_path / "a.png"), "a.png"))))
    assert done.status == "read"
    assert done.row()["indices"] == {i: int((indices(4, 5) == i).sum()) for i in done.details[1]}
