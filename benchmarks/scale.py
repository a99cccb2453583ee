"""What lies beyond one folder and one machine: archives, clusters, storages, millions of files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import scale_archives, scale_cluster, scale_memory, scale_s3
from benchmarks.common import Script, Table, positive
from benchmarks.real_sets import real_sets
from benchmarks.samples import MaskSet, draw_small, repeat_files

REAL = "camvid12_train"
"""The set of small real masks, of which bars speak."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    parser.add_argument("--part", nargs="+", choices=sorted(PARTS), default=sorted(PARTS))
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real masks, see real_sets.py")
    parser.add_argument(
        "--files", type=positive, help="of masks (default: 734; archives and cluster 5,000)"
    )
    parser.add_argument(
        "--listed", type=positive, nargs=2, default=[scale_memory.FEW, scale_memory.MANY],
        metavar="N", help="files of the two listings (default: 50,000 and 5,000,000)",
    )  # fmt: skip


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """The tables of each part."""
    if args.tiny:
        args.files, args.listed = 6, [300, 3_000]
    for part in args.part:
        folder = work / part
        folder.mkdir()
        yield from PARTS[part](args, folder)


def masks(args: argparse.Namespace, work: Path, default: int = 734) -> MaskSet:
    """Small masks, real ones where there are some, as many as were asked for."""
    found = draw_small(work, tiny=args.tiny)
    if args.shared is not None:
        real = real_sets(args.shared, work, tiny=True)
        found = next((masks for masks in real if masks.name == REAL), found)
    paths = found.paths()
    wanted = args.files or default
    folder = repeat_files(paths, -(-wanted // len(paths)), work / f"{found.name}-repeated")
    for path in sorted(folder.iterdir())[wanted:]:
        path.unlink()
    return MaskSet(found.name, folder, found.palette, found.options, found.real)


def _archives(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    found = masks(args, work, 5000)
    yield from scale_archives.tables(found.folder, found.palette, args.repeats, work)


def _cluster(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    found = masks(args, work, 5000)
    yield from scale_cluster.tables(found.folder, found.palette, args.repeats, work)


def _s3(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    found = masks(args, work)
    yield from scale_s3.tables(found.folder, found.palette, args.repeats, work)


def _memory(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    yield from scale_memory.tables(*args.listed, work)


PARTS: dict[str, Callable[[argparse.Namespace, Path], Iterator[Table]]] = {
    "archives": _archives,
    "cluster": _cluster,
    "memory": _memory,
    "s3": _s3,
}
"""Parts of this benchmark, by their names for --part."""

SCRIPT = Script("scale", __doc__ or "", run, add_arguments)

if __name__ == "__main__":
    raise SystemExit(SCRIPT.main())
