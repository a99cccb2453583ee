"""A format whose files hold the annotations of many images, for tests: {"name": LabelMe …}."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.format import Format, Outline, Record
from gpuseg.annotations.json_elements import elements
from gpuseg.annotations.labelme import LabelMe
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.shapes import Picture


class Album:
    """Reads the file again each time, so that a later fault shows later."""

    def __init__(self, path: str) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        return (record.name for record in self)

    def __iter__(self) -> Iterator[Record]:
        with open(self._path, "rb") as file:
            for element in elements(file):
                error = (
                    AnnotationError("cannot be used, says this test")
                    if element.raw == "unusable"
                    else None
                )
                yield Record(element.key, json.dumps(element.raw).encode(), error=error)


class Pages(Format):
    """One of many images."""

    name = "pages"
    title = "pages of LabelMe"
    holds_many: ClassVar[bool] = True

    def recognises(self, outline: Outline) -> bool:
        return False

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        return LabelMe().read(source, choices)

    def album(self, path: str, choices: ReadingChoices) -> Album:
        return Album(path)


def save_album(path: Path, pages: dict[str, Any]) -> Path:
    path.write_text(json.dumps(pages), encoding="utf-8")
    return path
