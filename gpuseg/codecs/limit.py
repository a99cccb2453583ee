"""Pillow's limit on pixels, which is one for the whole process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

_limit_lock = threading.Lock()
_limit_before: list[int | None] = []  # one entry a run that is under way


@contextmanager
def size_limit_is_ours() -> Iterator[None]:
    """Switch off Pillow's own, global limit on pixels while `read_mask` checks ours.

    The last of several runs at once gives the limit back.
    """
    with _limit_lock:
        _limit_before.append(_limit_before[0] if _limit_before else Image.MAX_IMAGE_PIXELS)
        Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        with _limit_lock:
            before = _limit_before.pop()
            if not _limit_before:
                Image.MAX_IMAGE_PIXELS = before
