"""Annotation files with one image each: their text, and their names. The only home of orjson."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import IO, Any

import orjson

from gpuseg.codecs.opening import SUFFIXES
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError, UnreadableMaskError
from gpuseg.taking import target_name


def content_of(source: Source) -> bytes:
    """The bytes of an annotation file. Raises UnreadableMaskError."""
    if source.content is not None:
        return source.content
    try:
        with open(source.path, "rb", buffering=0) as file:  # it is read in one piece
            return file.readall()
    except OSError as error:
        raise UnreadableMaskError(f"cannot be read: {error.strerror}; mend that") from error


def open_file(path: str) -> IO[bytes]:
    """An annotation file, to be read piece by piece. Raises AnnotationError."""
    try:
        return open(path, "rb")
    except OSError as error:
        raise AnnotationError(f"cannot be read: {error.strerror}; mend that") from error


def json_of(source: Source, encoding: str = "utf-8-sig") -> Any:
    """The value of a JSON file. Raises MaskError."""
    return parsed(content_of(source), encoding)


def parsed(data: bytes, encoding: str = "utf-8-sig") -> Any:
    """The value of a JSON text, as Python's json gives it. Raises AnnotationError.

    But for integers of more than 64 bits, which may be floats.
    """
    if encoding == "utf-8-sig":
        with suppress(orjson.JSONDecodeError):  # it knows no NaN, and json says what is wrong
            return orjson.loads(data)
    try:
        return json.loads(data.decode(encoding))
    except UnicodeDecodeError as error:
        raise AnnotationError(
            f"is no text in UTF-8: {error.reason} at byte {error.start:,}; save it as UTF-8"
        ) from error
    except ValueError as error:
        raise AnnotationError(f"is no JSON: {error}; export it anew") from error
    except RecursionError as error:
        raise AnnotationError("is no annotation: its JSON is nested too deeply") from error


def stem_target(relative: str) -> str:
    """`a/b.json` -> `a/b.png`, and `a/b.jpg.json`, too: tools append to the image's name."""
    stem, suffix = os.path.splitext(relative)
    named_as_image = stem.lower().endswith(SUFFIXES) and suffix
    return target_name(stem if named_as_image else relative)
