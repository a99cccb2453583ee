"""Sizes of images by their own files: where they are looked for, and as they are shown."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.image_sizes import size_beside, size_in
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError


def save(path: Path, size: tuple[int, int], orientation: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size).save(path, exif=exif)
    return path


def look(root: Path, name: str, images: Path | None = None) -> tuple[int, int]:
    source = Source(str(root / "sub" / "a.json"), "sub/a.json")
    choices = ReadingChoices(images=str(images) if images else None)
    return size_beside(source, name, choices)


def test_beside_the_annotation(tmp_path: Path) -> None:
    save(tmp_path / "sub" / "a.png", (4, 3))
    save(tmp_path / "images" / "b.jpg", (6, 5))
    assert look(tmp_path, "a.png") == (4, 3)
    assert look(tmp_path, "elsewhere/on/another/machine/a.png") == (4, 3)
    assert look(tmp_path, "../images/b.jpg") == (6, 5)


def test_the_folder_of_images_comes_first(tmp_path: Path) -> None:
    save(tmp_path / "sub" / "a.png", (4, 3))
    images = tmp_path / "other"
    images.mkdir()
    assert look(tmp_path, "a.png", images) == (4, 3)
    save(images / "a.png", (8, 7))
    assert look(tmp_path, "a.png", images) == (8, 7)
    save(images / "sub" / "a.png", (10, 9))
    assert look(tmp_path, "a.png", images) == (10, 9)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_that_are_turned(tmp_path: Path, orientation: int) -> None:
    path = save(tmp_path / "sub" / "a.jpg", (40, 30), orientation)
    with Image.open(path) as image:
        from PIL import ImageOps

        wanted = ImageOps.exif_transpose(image).size
    assert look(tmp_path, "a.jpg") == wanted
    assert size_in(path.read_bytes()) == wanted


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "sub" / "b.png").mkdir(parents=True)
    names = ["a.png", "b.png", "", "\0", "a" * 5000]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "sub" / "pipe.png")
        names.append("pipe.png")
    for name in names:
        with pytest.raises(AnnotationError, match=r"is not found; name the folder .* --images"):
            look(tmp_path, name)


def test_an_image_that_is_damaged(tmp_path: Path) -> None:
    path = save(tmp_path / "sub" / "a.png", (4, 3))
    path.write_bytes(b"no image")
    with pytest.raises(AnnotationError, match=r"a.png' cannot be read"):
        look(tmp_path, "a.png")
    for data in (b"", b"\x89PNG\r\n\x1a\n", b"II*\0\xff\xff\xff\xff"):
        with pytest.raises(AnnotationError, match="cannot be read"):
            size_in(data)


def test_only_the_header_is_read() -> None:
    buffer = io.BytesIO()
    Image.new("L", (500, 400)).save(buffer, "PNG")
    assert size_in(buffer.getvalue()[:60]) == (500, 400)
