"""Label maps of the direct path before other programs' eyes."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from gpuseg import direct
from gpuseg.codecs.fingerprint import Fingerprint
from tests.kernels.test_filters import CONTENTS, make_labels
from tests.real import HERE, label_map, real_pngs

# 256 colours, no two alike, so that a picture tells the labels; in no order
COLOURS = np.random.default_rng(0).permutation(1 << 24)[:256].astype("<u4")
COLOURS = COLOURS.view(np.uint8).reshape(256, 4)[:, :3]
PLTE = COLOURS.tobytes()
MARK = Fingerprint(bytes(range(16)), 7)

SIZES = [(1, 1), (1, 300), (300, 1), (3, 8), (64, 65), (600, 1001)]


def made() -> list[NDArray[np.uint8]]:
    """Label maps of every content and size; 600 rows are several blocks."""
    rng = np.random.default_rng(1)
    return [make_labels(rng, content, *size) for content in CONTENTS for size in SIZES]


def real(sets: dict[str, list[Path]]) -> list[NDArray[np.uint8]]:
    """One label map of each set, the largest."""
    found = []
    for paths in sets.values():
        labels = label_map(max(paths, key=lambda path: path.stat().st_size))
        if labels is not None:
            found.append(labels)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, NDArray[np.uint8]]:
    """Files of the direct path, and the labels they are to hold."""
    folder = tmp_path_factory.mktemp("judged")
    shared = HERE.parents[2] / "shared" / "data"
    maps = [*made(), *real(real_pngs(HERE)), *real(real_pngs(shared, but=HERE))]
    found = {}
    for i, labels in enumerate(maps):
        path = folder / f"{i:03}.png"
        path.write_bytes(direct.encode(labels, PLTE, MARK if i % 2 else None))
        found[path] = labels
    return found


def run(tool: str, *arguments: str | Path) -> str:
    """What a program prints of files that it must find no fault with."""
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_by_pillow(png: bytes, labels: NDArray[np.uint8]) -> None:
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        assert image.info.keys() <= {"gpSG"}
        assert np.array_equal(np.asarray(image), labels)
        assert bytes(image.getpalette("RGB")) == PLTE
        image.seek(0)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    content=st.sampled_from(CONTENTS),
    height=st.integers(1, 40),
    width=st.integers(1, 90),
    marked=st.booleans(),
)
def test_pillow_and_opencv(seed: int, content: str, height: int, width: int, marked: bool) -> None:
    cv2 = pytest.importorskip("cv2")
    labels = make_labels(np.random.default_rng(seed), content, height, width)
    png = direct.encode(labels, PLTE, MARK if marked else None)
    check_by_pillow(png, labels)
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(found[..., ::-1], COLOURS[labels])


def test_pillow(files: dict[Path, NDArray[np.uint8]]) -> None:
    for path, labels in files.items():
        check_by_pillow(path.read_bytes(), labels)


def test_opencv(files: dict[Path, NDArray[np.uint8]]) -> None:
    cv2 = pytest.importorskip("cv2")
    for path, labels in files.items():
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(found[..., ::-1], COLOURS[labels]), path


def test_pngcheck(files: dict[Path, NDArray[np.uint8]]) -> None:
    """Inflates the pixels, too, and counts the filters of the rows."""
    told = run("pngcheck", "-vv", *files)
    sizes = [
        f"{labels.shape[1]} x {labels.shape[0]} image, 8-bit palette, non-interlaced"
        for labels in files.values()
    ]
    assert re.findall(r"\d+ x \d+ image, .*", told) == sizes
    assert told.count("chunk PLTE at offset") == told.count("256 palette entries") == len(files)
    assert told.count("No errors detected in ") == len(files)
    assert told.count("private, ancillary, unsafe-to-copy chunk") == len(files) // 2


def test_libpng(files: dict[Path, NDArray[np.uint8]]) -> None:
    """pngfix reads by libpng, and says `OK` of a window size that suits the data."""
    lines = run("pngfix", *files).splitlines()
    assert len(lines) == len(files)
    assert [line for line in lines if not re.match("IDAT OK ", line)] == []


def test_file(files: dict[Path, NDArray[np.uint8]]) -> None:
    lines = run("file", "--brief", *files).splitlines()
    assert lines == [
        f"PNG image data, {labels.shape[1]} x {labels.shape[0]}, 8-bit colormap, non-interlaced"
        for labels in files.values()
    ]


def sizes(paths: list[Path]) -> tuple[int, int]:
    """Bytes of all label maps as the direct path writes them, and as Pillow does by default."""
    ours = theirs = 0
    for labels in filter(lambda found: found is not None, map(label_map, paths)):
        ours += len(direct.encode(labels, PLTE))
        image = Image.fromarray(labels)
        image.putpalette(PLTE)
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        theirs += buffer.tell()
    return ours, theirs


def check_sizes(sets: dict[str, list[Path]]) -> None:
    """All of a set together: of single files the worst is 1.19 times as large."""
    for name, paths in sets.items():
        ours, theirs = sizes(paths[:: -(-len(paths) // 8)])
        assert ours <= theirs * (1.05 if len(paths) > 2 else 1.25), name


def test_files_are_small() -> None:
    check_sizes(real_pngs(HERE))


def test_files_of_the_other_sets_are_small(shared: Path) -> None:
    check_sizes(real_pngs(shared / "data", but=HERE))
