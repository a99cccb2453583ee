"""Text for a terminal."""

from __future__ import annotations


def printable(text: str, keep: str = "\n") -> str:
    """Escape what a terminal must not get: control characters and bytes that are no UTF-8.

    File names are somebody else's: one may hold a colour code, a line break or broken text.
    keep: control characters that may stay.
    """
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text
    )


def one_line(text: str) -> str:
    """`printable` for text that holds file names, whose line breaks could feign other lines."""
    return printable(text, keep="")
