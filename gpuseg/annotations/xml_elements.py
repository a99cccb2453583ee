"""An XML file of any size, element by element: the only home of defusedxml.

Document types, entities and all that is external are refused: nothing grows, and no other file
is read. Memory is bounded by the largest element.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, fromstring

from gpuseg.errors import AnnotationError

WINDOW = 1 << 16
"""Bytes read at a time."""

LARGEST = 1 << 29
"""Bytes of the largest element that is taken, 512 MiB, as in JSON."""

DEEPEST = 64
"""Elements within each other."""

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0", b"\0<")
"""How files in UTF-16 begin."""

_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")


@dataclass(frozen=True, slots=True)
class Child:
    """An element just below the outermost one.

    root: the name of that. tag, attributes: its own. start, end: its bytes in the file.
    """

    root: str
    tag: str
    attributes: Mapping[str, str]
    start: int
    end: int


def children(file: IO[bytes]) -> Iterator[Child]:
    """Each child of the outermost element of a file in UTF-8, once it is read to its end.

    Raises AnnotationError, after all that come before what is wrong.
    """
    events = _Events()
    read, fault = 0, None
    try:
        while data := file.read(WINDOW):
            if not read and data.startswith(_WIDE):
                raise _encoded("UTF-16")
            read += len(data)
            events.parser.feed(data)
            yield from events.taken()
            events.check_size(read)
        events.parser.close()
    except (ParseError, DefusedXmlException) as error:
        fault = _fault(error)
    except AnnotationError as error:
        fault = error
    yield from events.taken()
    if fault is not None:
        raise fault


def element_of(data: bytes) -> Element:
    """The element that these bytes, in UTF-8, are. Raises AnnotationError."""
    try:
        element: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise _fault(error) from error
    return element


class _Events:
    """What the parser calls: `start` and `end`, for each element."""

    def __init__(self) -> None:
        self.parser = DefusedXMLParser(target=self, forbid_dtd=True)
        self._expat: Any = self.parser.parser
        self._expat.XmlDeclHandler = _check_declaration
        self._depth, self._root = 0, ""
        self._start, self._tag_end, self._is_empty = 0, 0, False  # of the child that is read
        self._attributes: Mapping[str, str] = {}
        self._found: list[Child] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if self._depth == 0:
            self._root = tag
        elif self._depth == 1:
            text = self._next_tag()
            self._start, self._attributes = self._expat.CurrentByteIndex, attributes
            self._tag_end, self._is_empty = self._start + len(text), text.endswith(b"/>")
        self._depth += 1
        if self._depth > DEEPEST:
            raise AnnotationError(
                f"is no annotation: more than {DEEPEST} elements of its XML are within each other"
            )

    def end(self, tag: str) -> None:
        """An element ends."""
        self._depth -= 1
        if self._depth == 1:
            end = self._tag_end
            if not self._is_empty:
                end = self._expat.CurrentByteIndex + len(self._next_tag())
            self._found.append(Child(self._root, tag, self._attributes, self._start, end))

    def _next_tag(self) -> bytes:
        """The tag that the parser is at."""
        tag = _TAG.match(self._expat.GetInputContext())
        assert tag is not None  # noqa: S101  # it has found its end
        return tag[0]

    def taken(self) -> list[Child]:
        """The children found since this was last asked."""
        found, self._found = self._found, []
        return found

    def check_size(self, read: int) -> None:
        """Refuse an element that `read` bytes of the file do not end. Raises AnnotationError."""
        start = self._start if self._depth > 1 else self._expat.CurrentByteIndex
        if read - start > LARGEST:
            raise AnnotationError(
                f"has an element of more than {LARGEST:,} bytes at byte {start:,}; divide it"
            )


def _check_declaration(version: str, encoding: str | None, standalone: int) -> None:
    if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii", "ascii"):
        raise _encoded(encoding)


def _encoded(encoding: str) -> AnnotationError:
    return AnnotationError(f"is XML in {encoding}; save it as UTF-8")


def _fault(error: Exception) -> AnnotationError:
    if isinstance(error, DefusedXmlException):
        return AnnotationError(
            "is XML with a document type or entities of its own, which annotations need not have "
            "and which are not read; remove them"
        )
    return AnnotationError(f"is no XML that can be read: {error}; export it anew")
