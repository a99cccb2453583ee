"""Why label maps are filtered and deflated as they are, and by which library: bytes and time."""

from __future__ import annotations

import argparse
import io
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from zlib_ng import zlib_ng

from benchmarks.common import Contender, Script, Table, Times, interleaved, stopwatch
from benchmarks.conversions import convert
from benchmarks.real_sets import real_sets
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from gpuseg.codecs.chunks import read_chunks
from gpuseg.kernels.deflate import deflate_scanlines
from gpuseg.kernels.filters import filter_rows

SAMPLE = 40
"""Files of a set that are looked at, spread over it."""

Rows = NDArray[np.uint8]
Engine = Callable[[Any], bytes]

RULE = "by rule"

NOTE = (
    "Bytes: times what Pillow writes by its defaults, chunks around the pixels left out on both "
    "sides. Filters are applied before the clock starts."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real masks (real_sets.py)")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Bytes and time by filter, by engine, and of inflating."""
    filters, out = Table("Row filters"), Table("Deflating rows filtered by rule")
    inward = Table("Inflating the masks")
    sets = list(mask_sets(args, work))
    if args.shared is not None:
        sets += real_sets(args.shared, work / "shared", tiny=True)
    for masks in sets:
        label_maps = _label_maps(masks, work / f"{masks.name}-labels")
        filtered = {name: [apply(x) for x in label_maps] for name, apply in FILTERS.items()}
        pillow = sum(_pillow_bytes(labels) for labels in label_maps)
        _add(filters, masks, {n: (deflate_scanlines, rows) for n, rows in filtered.items()}, pillow)
        engines = {name: (engine, filtered[RULE]) for name, engine in deflaters().items()}
        _add(out, masks, engines, pillow, args.repeats)
        streams = [pixels for path in _sample(masks) if (pixels := _pixels(path))]
        if streams:
            _add(inward, masks, {n: (e, streams) for n, e in inflaters().items()}, 0, args.repeats)
    filters.notes.append(NOTE)
    out.notes.append(NOTE)
    yield from (filters, out, inward)


def _add(
    table: Table,
    masks: MaskSet,
    ways: Mapping[str, tuple[Engine, Sequence[Any]]],
    pillow: int,
    repeats: int = 0,
) -> None:
    """A row of a set: bytes of each way, or its time where it is repeated."""
    cells: dict[str, Any] = {"set": masks.name, "files": len(next(iter(ways.values()))[1])}
    times: Mapping[str, Times] = {}
    if repeats:
        contenders: dict[str, Contender] = {
            name: stopwatch(partial(_each, engine, items)) for name, (engine, items) in ways.items()
        }
        times = interleaved(contenders, repeats)
    for name, (engine, items) in ways.items():
        if pillow:
            cells[f"{name}: bytes"] = sum(len(engine(item)) for item in items) / pillow
        if name in times:
            cells[f"{name}: ms"] = 1e3 * times[name].best / len(items)
    table.add(**cells)


def _each(engine: Engine, items: Sequence[Any]) -> None:
    for item in items:
        engine(item)


def _sample(masks: MaskSet) -> list[str]:
    paths = masks.paths()
    return paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]


def _label_maps(masks: MaskSet, folder: Path) -> list[Rows]:
    convert(masks, folder)
    found = []
    for path in _sample(masks):
        with Image.open(masks.target(path, folder)) as image:
            found.append(np.array(image))
    return found


def _pillow_bytes(labels: Rows) -> int:
    """Deflated pixels of a label map as Pillow writes it."""
    image = Image.fromarray(labels, "P")
    image.putpalette(bytes(range(256)) * 3)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return sum(len(data) for name, data in read_chunks(buffer.getvalue()) if name == b"IDAT")


def _pixels(path: str) -> bytes:
    """Deflated pixels of a PNG, b"" for a file of another kind."""
    data = Path(path).read_bytes()
    if not data.startswith(b"\x89PNG"):
        return b""
    return b"".join(chunk for name, chunk in read_chunks(data) if name == b"IDAT")


def unfiltered(labels: Rows) -> Rows:
    """Scanlines of filter None, uint8 (H, 1 + W)."""
    return np.pad(labels, ((0, 0), (1, 0)))


def up(labels: Rows) -> Rows:
    """Scanlines of filter Up."""
    steps = np.diff(labels, axis=0, prepend=np.zeros_like(labels[:1]))
    return np.pad(steps, ((0, 0), (1, 0)), constant_values=2)


def by_file(labels: Rows) -> Rows:
    """Whichever of both is smaller once it is deflated."""
    return min(unfiltered(labels), up(labels), key=lambda rows: len(deflate_scanlines(rows)))


def by_rule(labels: Rows) -> Rows:
    """As gpuseg does: by the number of runs in each row."""
    height, width = labels.shape
    rows = np.empty((height, 1 + width), np.uint8)
    filter_rows(np.ascontiguousarray(labels).reshape(-1), width, 0, rows.reshape(-1))
    return rows


FILTERS = {"None": unfiltered, "Up": up, "smaller of both": by_file, RULE: by_rule}


def _z_rle(rows: Rows) -> bytes:
    """By zlib-ng's strategy for runs; level 1 and memory level 9 cost least with it."""
    deflater = zlib_ng.compressobj(1, zlib_ng.DEFLATED, 15, 9, zlib_ng.Z_RLE)
    return deflater.compress(rows) + deflater.flush()


def deflaters() -> dict[str, Engine]:
    """Ways to deflate; isal and libdeflate (the package `deflate`) where they are installed."""
    ways: dict[str, Engine] = {"gpuseg": deflate_scanlines, "zlib-ng RLE": _z_rle}
    for level in (1, 2, 6):
        ways[f"zlib-ng {level}"] = partial(zlib_ng.compress, level=level)
    ways["zlib 1"] = partial(zlib.compress, level=1)
    if isal := _package("isal.isal_zlib"):
        ways["isal 1"] = partial(isal.compress, level=1)
    if libdeflate := _package("deflate"):
        ways["libdeflate 1"] = lambda rows: libdeflate.zlib_compress(rows, 1)
    return ways


def inflaters() -> dict[str, Engine]:
    """Ways to inflate."""
    ways: dict[str, Engine] = {"zlib-ng": zlib_ng.decompress, "zlib": zlib.decompress}
    if isal := _package("isal.isal_zlib"):
        ways["isal"] = isal.decompress
    return ways


def _package(name: str) -> Any:
    try:
        return __import__(name, fromlist=["_"])
    except ImportError:
        return None


SCRIPT = Script("compression", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
