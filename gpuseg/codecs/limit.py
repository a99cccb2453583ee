"""Pillow's limit on pixels, which is one for the whole process."""

from __future__ import annotations

from contextlib import AbstractContextManager

from PIL import Image

from gpuseg.process_wide import Setting


def _set(limit: int | None) -> None:
    Image.MAX_IMAGE_PIXELS = limit


_LIMIT = Setting[int | None](lambda: Image.MAX_IMAGE_PIXELS, _set)


def size_limit_is_ours() -> AbstractContextManager[None]:
    """Switch off Pillow's own, global limit on pixels while `read_mask` checks ours.

    The last of several runs at once gives the limit back.
    """
    return _LIMIT.changed(lambda limit: None)
