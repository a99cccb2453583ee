"""Text for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape what a terminal must not get: control characters and bytes that are no UTF-8.

    File names are somebody else's: one may hold a colour code, a line break or broken text.
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )
