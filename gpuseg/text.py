"""Text that holds somebody else's names, made fit to be shown."""

from __future__ import annotations

import os
import shlex


def printable(text: str, keep: str = "\n") -> str:
    """Escape what nobody can see: control characters, reversed text, bytes that are no UTF-8.

    File names are somebody else's: one may hold a colour code, a line break or broken text.
    keep: control characters that may stay.
    """
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text
    )


def one_line(text: str) -> str:
    """`printable` for text that holds file names, whose line breaks could feign other lines."""
    return printable(text, keep="")


def as_argument(path: str) -> str:
    """A path as a command takes it in a shell: quoted, and no option for its dash."""
    return shell_word(f"./{path}" if path.startswith("-") else path)


def shell_word(text: str) -> str:
    """A word for a shell, on one line.

    What nobody can see is escaped as in `$'...'`, which bash, zsh and ksh know.
    """
    if text.isprintable():
        return shlex.quote(text)
    escaped = (
        f"\\{c}" if c in "\\'" else c if c.isprintable() else _octal(os.fsencode(c)) for c in text
    )
    return f"$'{''.join(escaped)}'"


def _octal(data: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in data)


def shortened(text: str, limit: int) -> str:
    """`text`, or its first and last characters around … where it is longer than `limit`."""
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"


def count(number: int, thing: str) -> str:
    """`1 file`, `2,000 files`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
