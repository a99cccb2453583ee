"""One label map of the annotations of one image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.annotations.format import Format
from gpuseg.codecs import label_png
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.codecs.opening import check_size
from gpuseg.discover import Source
from gpuseg.drawing.draw import draw
from gpuseg.errors import AnnotationError, UnknownLabelError
from gpuseg.rasterizing.fitting import fitting
from gpuseg.rasterizing.instances import instance_map
from gpuseg.rasterizing.labels import LONGEST, Labels
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.rewriting import About, Made, Mark
from gpuseg.scratch import Scratch
from gpuseg.shapes import BadShape, Picture
from gpuseg.text import shortened

_pixels = Scratch()

SHOWN = 5
"""Bad shapes that a message names."""

CROWDS = "crowds ignored (--crowd class draws them)"
"""What the summary calls them: CVAT's exports to COCO call every bitmap a crowd."""

MOST_LABELS = 50
"""Unknown labels that a row lists, those of the most pixels."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a row says of the annotations.

    crowds: how many of the shapes are ignored for they are crowds. unknown: pixels of each label
    that no class has.
    """

    shapes: int
    crowds: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    bad: int = 0
    unknown: tuple[tuple[str, int], ...] = ()

    def row(self) -> Mapping[str, Any]:
        """Its part of the row, for JSON."""
        row: dict[str, Any] = {"shapes": self.shapes}
        if self.crowds:
            row["ignored_crowds"] = self.crowds
        if self.left_out:
            row["left_out"] = dict(self.left_out)
        if self.bad:
            row["bad_shapes"] = self.bad
        if self.unknown:
            row["unknown_labels"] = dict(self.unknown[:MOST_LABELS])
        if len(self.unknown) > MOST_LABELS:
            row["more_unknown_labels"] = len(self.unknown) - MOST_LABELS
        return row

    def noted(self) -> Mapping[str, int]:
        """What the summary adds up of it."""
        counts = {
            CROWDS: self.crowds,
            "shapes left out": sum(number for _, number in self.left_out),
            "bad shapes left out": self.bad,
        }
        return {what: number for what, number in counts.items() if number}


@dataclass(frozen=True, slots=True, eq=False)
class Rasterizing:
    """The Maker. plte: of what is written, 768 bytes, None at 16 bits. digest: of the palette."""

    verb: ClassVar[str] = "rasterize"
    is_python: ClassVar[bool] = True

    format: Format
    labels: Labels
    options: RasterizeOptions
    plte: bytes | None
    digest: bytes

    @property
    def about(self) -> About:
        """Which format the annotations have."""
        found = " (auto)" if self.options.format == "auto" else ""
        return About(
            {"annotations": self.format.name, "background": self.labels.background},
            f"annotations: {self.format.title}{found}",
            "annotations",
            "of unknown labels were given the ignore index",
        )

    @property
    def shaped_by(self) -> tuple[object, ...]:
        """The format, how its shapes are read and drawn, and what the labels mean."""
        o = self.options
        reading = (o.size, o.images, o.line_width, o.crowd, o.label_key, o.masks)
        drawing = (o.unknown, o.bad_shapes, o.order, o.border, o.instances, o.depth)
        renamed = tuple(sorted(self.labels.renamed.items()))
        meaning = (self.digest, self.labels.background, self.labels.ignored, renamed)
        return self.format.name, reading, drawing, meaning

    def make(self, source: Source, mark: Mark) -> Made:
        """The target of the annotations of one image."""
        start = perf_counter()
        picture = self.labels.drawable(self.format.read(source, self.options))
        check_size(picture.width, picture.height, self.options.max_pixels)
        picture = fitting(picture)
        if picture.bad and self.options.bad_shapes == "error":
            raise AnnotationError(
                f"{_told(picture.bad)}; mend the annotation, or choose --bad-shapes skip"
            )
        read = perf_counter()
        labels, unknown = self._labels(picture)
        pixels = sum(unknown.values())
        drawn = perf_counter()
        data = self._encoded(labels, mark(pixels))
        seconds = {"read": read - start, "draw": drawn - read, "encode": perf_counter() - drawn}
        told = _drawn(picture, unknown)
        facts: dict[str, Any] = {
            "width": picture.width,
            "height": picture.height,
            "format": self.format.title,
            "unknown_pixels": pixels,
            "details": told,
            "noted": told.noted(),
        }
        warnings = [f"left out: {_told(picture.bad)}"] if picture.bad else []
        if picture.left_out and not picture.shapes:
            warnings.append(f"draws nothing: its annotations are left out ({_kinds(picture)})")
        if warnings:
            facts["warnings"] = tuple(warnings)
        return Made(data, facts, seconds)

    def _labels(self, picture: Picture) -> tuple[NDArray[np.unsignedinteger], Counter[str]]:
        """Indices or instances, (H, W), and how many pixels each unknown label has.

        Valid until this thread makes the next.
        """
        options, find = self.options, self.labels.index_of
        found = [find(shape.label) for shape in picture.shapes]
        strange = {
            shape.label
            for shape, index in zip(picture.shapes, found, strict=True)
            if index is None and not shape.ignored
        }
        if strange and options.unknown == "error":
            raise UnknownLabelError(self.labels.unknown(strange))
        ignored = self.labels.ignored
        indices = [
            ignored if index is None or shape.ignored else index
            for shape, index in zip(picture.shapes, found, strict=True)
        ]
        order = options.order or self.format.order
        if not (strange or options.border or options.instances):
            made = draw(picture, order, indices, self.labels.background, _pixels.take)
            return made, Counter()
        numbers = draw(picture, order, range(1, len(indices) + 1), 0)
        made = instance_map(picture, indices, numbers, self.labels, options)
        return made, self._counted(picture, numbers, strange)

    def _counted(
        self, picture: Picture, numbers: NDArray[np.unsignedinteger], strange: set[str]
    ) -> Counter[str]:
        counts = Counter[str]()
        if strange:
            from gpuseg.kernels import tables

            pixels = tables.counted(numbers, len(picture.shapes) + 1)
            for shape, number in zip(picture.shapes, pixels[1:].tolist(), strict=True):
                if shape.label in strange and not shape.ignored:
                    counts[shape.label] += number
        return counts

    def _encoded(self, labels: NDArray[np.unsignedinteger], mark: Fingerprint) -> bytes:
        if self.plte is None:
            return label_png.write_label(labels.astype(np.uint16, copy=False), None, mark)
        return direct.encode(labels.astype(np.uint8, copy=False), self.plte, mark)


def _drawn(picture: Picture, unknown: Counter[str]) -> Drawn:
    return Drawn(
        len(picture.shapes),
        sum(shape.ignored for shape in picture.shapes),
        tuple(sorted(picture.left_out.items())),
        len(picture.bad),
        tuple((shortened(label, LONGEST), pixels) for label, pixels in unknown.most_common()),
    )


def _told(bad: tuple[BadShape, ...]) -> str:
    more = f" and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
    return "; ".join(map(str, bad[:SHOWN])) + more


def _kinds(picture: Picture) -> str:
    return ", ".join(f"{kind}: {number:,}" for kind, number in picture.left_out.most_common(SHOWN))
