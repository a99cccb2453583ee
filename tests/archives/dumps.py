"""Dumps of masks in archives, and what a conversion of them should give."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gpuseg import Report, convert_directory, output
from gpuseg.palette import Palette
from tests.archives.packing import MTIME
from tests.making import COLOURS, PALETTE, indices, mask

Files = dict[str, bytes]

OTHERS = Palette.from_colours([COLOURS[1], COLOURS[0], *COLOURS[2:]])
"""A palette of the same colours with other indices."""


def encoded(seed: int, suffix: str = ".png") -> bytes:
    """A small colour mask as a file."""
    file = io.BytesIO()
    Image.fromarray(mask(9 + seed % 7, 14, seed)).save(file, suffix[1:])
    return file.getvalue()


def masks(count: int = 9) -> Files:
    """Masks in two folders, one of them no PNG."""
    names = [f"{'ab'[i % 2]}/{i:03d}.{'bmp' if i == 4 else 'png'}" for i in range(count)]
    return {name: encoded(i, name[-4:]) for i, name in enumerate(names)}


def expected(files: Iterable[str]) -> dict[str, int]:
    """The label maps of `masks`, each with the seed of its pixels."""
    return {f"{name[:-4]}.png": int(name[-7:-4]) for name in files}


def pack(path: Path, files: Files) -> str:
    """Write an archive of the kind that its name tells, by Python's own modules."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name, (2023, 1, 2, 3, 4, 6)), data)
        return str(path)
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), MTIME
            tar.addfile(info, io.BytesIO(data))
    return str(path)


def unpack(path: Path) -> Files:
    """What is in a folder or an archive, in order, by Python's own modules."""
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".jsonl")
        return {p.relative_to(path).as_posix(): p.read_bytes() for p in found}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(path) as tar:
        files = {info.name: tar.extractfile(info) for info in tar}
        return {name: file.read() for name, file in files.items() if file is not None}


def lay(folder: Path, files: Files) -> str:
    """Write files below a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return str(folder)


def check_label(data: bytes, seed: int) -> None:
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "P"
        assert np.array_equal(np.array(image), indices(9 + seed % 7, 14, seed))
        assert image.getpalette()[: 3 * len(PALETTE)] == PALETTE.colours.reshape(-1).tolist()


def check_labels(found: Files, wanted: dict[str, int]) -> None:
    """These label maps and no other files, with the right pixels."""
    assert sorted(found) == sorted(wanted)
    for name, seed in wanted.items():
        check_label(found[name], seed)


def convert(src: str | Path, dst: str | Path, **options: Any) -> Report:
    settings = {"device": "cpu", "workers": 2, **options}
    return convert_directory(str(src), str(dst), settings.pop("palette", PALETTE), **settings)


def rows(report: Report) -> dict[str, dict[str, Any]]:
    """The rows of a whole report by source, each input once."""
    assert report.path is not None
    lines = [json.loads(line) for line in Path(report.path).read_text("ascii").splitlines()]
    assert (lines[0]["type"], lines[-1]["type"]) == ("run", "summary")
    files = [line for line in lines if line["type"] == "file"]
    found = {row["source"]: row for row in files}
    assert len(found) == len(files), "an input has several rows"
    assert not any(row.get("error") == "internal" for row in files), files
    return found


def temps(folder: Path) -> list[str]:
    """Temp files of ours in a folder."""
    return [name for name in os.listdir(folder) if name.startswith(output.PREFIX)]
