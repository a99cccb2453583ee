"""What a file is, by its first bytes: for messages, and for what Pillow does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO

_SIGNATURES = {
    "PNG": rb"\x89PNG",
    "GIF": rb"GIF8",
    "BMP": rb"BM",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "WebP": rb"RIFF....WEBP",
    "JPEG": rb"\xff\xd8\xff",
}


def is_lossy_webp(file: IO[bytes]) -> bool:
    """Whether a WebP holds a `VP8 ` chunk (lossy) and not `VP8L` (RIFF container, RFC 9649)."""
    back = file.tell()
    file.seek(12)
    try:
        while len(head := file.read(8)) == 8:
            name, length = head[:4], int.from_bytes(head[4:], "little")
            if name in (b"VP8 ", b"VP8L"):
                return name == b"VP8 "
            file.seek(length + length % 2, 1)
        return False
    finally:
        file.seek(back)


def not_an_image(file: IO[bytes], formats: Iterable[str]) -> str:
    """Why a file that no decoder takes is none of ours, for a message."""
    file.seek(0)
    start = file.read(16)
    if not start:
        return "is empty (0 bytes); restore it from its source"
    for kind, signature in _SIGNATURES.items():
        if re.match(signature, start, re.DOTALL):
            return f"starts like a {kind}, but its header is damaged; restore it from its source"
    return (
        f"is no image of a known format ({', '.join(formats)}): it starts with "
        f"{start!r}; restore it, or leave it out with --pattern"
    )
