"""Looking at one image of a dump: its row, whatever happens."""

from __future__ import annotations

from collections.abc import Callable

from gpuseg.census.facts import warnings_on
from gpuseg.census.image import Census, take_census
from gpuseg.discover import Source
from gpuseg.results import Details, FileResult
from gpuseg.task import row_of


def look_at(source: Source, max_pixels: int, details: Callable[[Census], Details]) -> FileResult:
    """The row of an image. details: made of what is counted in it."""

    def make(source: Source) -> FileResult:
        census = take_census(source.image, max_pixels)
        return FileResult(
            source=source.relative,
            status="read",
            width=census.width,
            height=census.height,
            format=census.format,
            codec=census.codec,
            warnings=tuple(warnings_on(census, source.relative)),
            details=details(census),
        )

    return row_of(source, make, max_pixels)
