"""The task of polygonizing: each label map is read, and its annotations are made."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from time import perf_counter

from gpuseg.discover import Source
from gpuseg.errors import GpusegError, LabelError, UnreadableMaskError
from gpuseg.label_maps import LabelMap, read_label_map
from gpuseg.polygonizing.annotations import Instances, annotate
from gpuseg.polygonizing.classes import Classes
from gpuseg.polygonizing.options import PolygonizeOptions
from gpuseg.results import FileResult
from gpuseg.task import row_of


@dataclass(frozen=True, slots=True)
class Polygonizing:
    """Makes annotations; the `details` of its results are Annotations.

    instances: the folder of instance maps, in full, if there is one.
    """

    classes: Classes
    options: PolygonizeOptions
    instances: str | None = None

    def run(self, source: Source) -> FileResult:
        """Make those of one label map; whatever happens becomes its row."""
        return row_of(source, self._make, self.options.max_pixels)

    def _make(self, source: Source) -> FileResult:
        from gpuseg.kernels.counting import count_labels  # numba loads with the first file

        start = perf_counter()
        found = read_label_map(source.image, self.options.max_pixels)
        self.classes.check(count_labels(found.labels))
        labels, instances = found.labels, None
        if self.instances is not None:
            labels = labels.copy()  # valid until this thread reads the next one
            instances = self._instances(source, found)
        read = perf_counter()
        made = annotate(labels, instances, self.classes, self.options)
        return FileResult(
            source=source.relative,
            status="read",
            width=found.width,
            height=found.height,
            format=found.format,
            codec=found.codec,
            warnings=found.warnings,
            details=made,
            seconds={"read": read - start, "polygonize": perf_counter() - read},
        )

    def _instances(self, source: Source, labels: LabelMap) -> Instances:
        """The instance map of a label map. Raises MaskError and LabelError."""
        height, width = labels.height, labels.width
        path = os.path.join(self.instances or "", *source.target.split("/"))
        try:
            _check_regular(path)
            found = read_label_map(path, self.options.max_pixels)
        except GpusegError as error:
            raise type(error)(f"its instance map {path} {error}") from error
        if (found.height, found.width) != (height, width):
            raise LabelError(
                f"its instance map {path} is {found.width} x {found.height} pixels, and {width} x "
                f"{height} were expected; make both of one image"
            )
        return Instances(found.labels, (1 << max(8, found.bits)) - 1)


def _check_regular(path: str) -> None:
    """Raise UnreadableMaskError for what is no file: reading a pipe may wait for ever."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise UnreadableMaskError(f"cannot be opened: {reason}") from error
    if not stat.S_ISREG(mode):
        raise UnreadableMaskError("is a folder, a pipe or a device; remove it")
