"""A JSON file of any size, element by element, each with its place in the file.

The parser is that of Python's json: it takes one element of the outermost lists at a time, out
of a window that moves over the file. So memory is bounded by the largest element, each element
can be read again by itself, and whatever is no JSON is found. Of keys that an object has twice
the last counts, as in Python's json; the outermost object may not have any twice.

The window holds bytes as Latin-1, so that characters are bytes and places are those in the file;
what is not ASCII is decoded as UTF-8 and parsed once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO, Any

from gpuseg.annotations.documents import parsed
from gpuseg.annotations.fields import shown
from gpuseg.errors import AnnotationError

WINDOW = 1 << 20
"""Bytes read at a time."""

LARGEST = 1 << 29
"""Bytes of the largest element that is taken, 512 MiB: a million vertices have 40 MiB."""

_SPACE = re.compile(r"[ \t\r\n]*")
_MARGIN = 64
"""An error so near to the end of the window may be no more than that end."""

_TAIL = 2
"""Characters that a number may leave behind where the window cuts it: those of `e+`."""


@dataclass(frozen=True, slots=True)
class Element:
    """A value of the file.

    key: of the outermost object; "" in an outermost list. name: its own, where it is a member of
    an object below that. start, end: its bytes in the file. raw: what it is. listed: whether it is
    one of a list.
    """

    key: str
    name: str | None
    start: int
    end: int
    raw: Any
    listed: bool = False


def elements(
    file: IO[bytes],
    inside: Collection[str] = (),
    encoding: str = "utf-8",
    keys: set[str] | None = None,
) -> Iterator[Element]:
    """Each value of the outermost object, and each element of those that are lists.

    inside: keys of objects whose members come one by one, too. encoding: utf-8, or latin-1, in
    which any bytes are text. keys: takes those of the outermost object, for a list may have no
    element. Raises AnnotationError.
    """
    text = _Text(file, encoding)
    first = text.peek()
    if first == "[":
        yield from _of_list(text, "")
    elif first == "{":
        known = set[str]() if keys is None else keys
        for key in text.members():
            if key in known:
                raise AnnotationError(f"has {shown(key)} twice in its outermost object; mend it")
            known.add(key)
            kind = text.peek()
            if kind == "[":
                yield from _of_list(text, key)
            elif kind == "{" and key in inside:
                for name in text.members():
                    yield _element(text, key, name)
            else:
                yield _element(text, key)
    else:
        raise text.fault("an object or a list")
    if text.peek():
        raise text.fault("nothing more")


def value_of(data: bytes) -> Any:
    """The value of bytes that were an Element, its text in UTF-8. Raises AnnotationError."""
    return parsed(data)


def _of_list(text: _Text, key: str) -> Iterator[Element]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield _element(text, key, listed=True)
        if text.take(",]") == "]":
            return


def _element(text: _Text, key: str, name: str | None = None, *, listed: bool = False) -> Element:
    start, raw = text.value()
    return Element(key, name, start, text.place, raw, listed)


class _Text:
    """The window. place: of what comes next, in bytes from the beginning of the file."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._encoding = encoding
        self._file, self._text, self._at, self._base = file, "", 0, 0
        self._decode = json.JSONDecoder().raw_decode
        self._more()
        if self._text.startswith("\xef\xbb\xbf"):  # the mark of UTF-8
            self._at = 3

    @property
    def place(self) -> int:
        return self._base + self._at

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> str:
        """The next character, one of these."""
        found = self.peek()
        if not found or found not in expected:
            raise self.fault(" or ".join(expected))
        self._at += 1
        return found

    def members(self) -> Iterator[str]:
        """The keys of an object that comes next; their values are to be taken in between."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise self.fault("a key")
            key: str = self.value()[1]
            self.take(":")
            yield key
            if self.take(",}") == "}":
                return

    def value(self) -> tuple[int, Any]:
        """Where the next value begins, and what it is."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.pos > len(self._text) - _MARGIN or "Unterminated" in error.msg
                if cut and self._more():
                    continue
                self._at = min(error.pos, len(self._text))
                raise self.fault("JSON", error.msg) from error
            except ValueError as error:  # a number of thousands of digits
                raise self.fault("JSON", str(error)) from error
            except RecursionError as error:
                raise self.fault("JSON", "it is nested too deeply") from error
            if end + _TAIL >= len(self._text) and self._more():  # a number may go on
                continue
            if not (self._text.isascii() or self._text[self._at : end].isascii()):
                value = json.loads(self._decoded(end))
            start, self._at = self.place, end
            return start, value

    def _decoded(self, end: int) -> str:
        """What comes next in the window, up to `end`, as text."""
        try:
            return self._text[self._at : end].encode("latin-1").decode(self._encoding)
        except UnicodeDecodeError as error:
            raise AnnotationError(
                f"is no text in UTF-8: {error.reason} at byte {self.place + error.start:,}; "
                "save it as UTF-8"
            ) from error

    def fault(self, expected: str, why: str = "") -> AnnotationError:
        found = repr(self._text[self._at : self._at + 12]) if self.peek() else "the end"
        why = f": {why}" if why else ""
        return AnnotationError(
            f"is no JSON that can be read: expected {expected} at byte {self.place:,}, "
            f"got {found}{why}; export it anew"
        )

    def _more(self) -> bool:
        """Read on, as much again as is waiting; False at the end of the file."""
        waiting = len(self._text) - self._at
        if waiting > LARGEST:
            raise AnnotationError(
                f"has an element of more than {LARGEST:,} bytes at byte {self.place:,}; divide it"
            )
        data = self._file.read(max(WINDOW, waiting))
        if not data:
            return False  # and what is waiting stays where it is
        self._text = self._text[self._at :] + data.decode("latin-1")
        self._base += self._at
        self._at = 0
        return True
