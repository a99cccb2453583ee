"""Rewrites damaged Parquet files, in a process of its own, which pyarrow may end."""

from __future__ import annotations

import io
import random
import sys
from collections import Counter
from pathlib import Path

from gpuseg.archives import parquet
from gpuseg.archives.member import Choice
from gpuseg.archives.parquet import Like
from gpuseg.errors import GpusegError
from tests.archives.parquet.tables import IMAGE, MARK, features, image, pa, packed, table


def rewrite(data: bytes, target: str) -> None:
    """Read a file, and write one like it."""
    writer = parquet.writer(target, Like(io.BytesIO(data), None, True))
    try:
        for member in parquet.members(io.BytesIO(data), Choice(1 << 20, keep_others=True)):
            if member.error is None:
                writer.add(member.name, b"label map", 0)
            else:
                writer.leave_out(member.name)
        writer.finish(MARK)
    finally:
        writer.discard()


def main(folder: str, seed: int, count: int) -> None:
    """Print how many files ended how."""
    draw = random.Random(seed)
    columns = {
        "mask": (IMAGE, [image(draw.randbytes(60), f"ä{n}.png") for n in range(20)]),
        "textö": (pa.string(), [f"é{n}" for n in range(20)]),
        "list": (pa.list_(pa.int32()), [[n] for n in range(20)]),
    }
    whole = packed(table(columns, features(mask={"_type": "Image"})), row_group_size=7)
    ends: Counter[str] = Counter()
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(draw.choice([1, 1, 4])):
            at = draw.randrange(len(data) // 3, len(data))  # the rear half tells what is where
            data[at] = draw.randrange(256)
        try:
            rewrite(bytes(data), str(Path(folder, "out.parquet")))
            ends["whole"] += 1
        except GpusegError as error:
            ends[error.kind] += 1
    print(*(f"{kind} {number}" for kind, number in ends.items()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
