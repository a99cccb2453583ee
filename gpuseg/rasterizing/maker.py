"""One label map of the annotations of one image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
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
from gpuseg.rasterizing.instances import instance_map, numbered
from gpuseg.rasterizing.labels import Labels
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.rewriting import Made, Mark
from gpuseg.shapes import BadShape, Picture

SHOWN = 5
"""Bad shapes that a message names, and a row lists."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a row says of the annotations. unknown: pixels of each label that no class has."""

    shapes: int
    left_out: tuple[tuple[str, int], ...] = ()
    bad: tuple[BadShape, ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()

    def row(self) -> Mapping[str, Any]:
        """Its part of the row, for JSON."""
        row: dict[str, Any] = {"shapes": self.shapes}
        if self.left_out:
            row["left_out"] = dict(self.left_out)
        if self.bad:
            row["bad_shapes"] = [str(each) for each in self.bad[:SHOWN]]
        if self.unknown:
            row["unknown_labels"] = dict(self.unknown)
        return row


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
        picture = self.labels.kept(self.format.read(source, self.options))
        check_size(picture.width, picture.height, self.options.max_pixels)
        if picture.bad and self.options.bad_shapes == "error":
            raise _bad(picture.bad)
        labels, unknown = self._labels(picture)
        pixels = sum(unknown.values())
        data = self._encoded(labels, mark(pixels))
        drawn = Drawn(
            len(picture.shapes),
            tuple(sorted(picture.left_out.items())),
            picture.bad,
            tuple(sorted(unknown.items())),
        )
        facts = {"width": picture.width, "height": picture.height, "format": self.format.title}
        return Made(data, facts | {"unknown_pixels": pixels, "details": drawn})

    def _labels(self, picture: Picture) -> tuple[NDArray[np.unsignedinteger], Counter[str]]:
        """Indices or instances, (H, W), and how many pixels each unknown label has."""
        options, find = self.options, self.labels.indices.get
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
            return draw(picture, order, indices, self.labels.background), Counter()
        numbers = draw(picture, order, range(1, len(indices) + 1), 0)
        made = instance_map(picture, indices, numbers, self.labels, options)
        return made, self._counted(picture, numbers, strange)

    def _counted(
        self, picture: Picture, numbers: NDArray[np.unsignedinteger], strange: set[str]
    ) -> Counter[str]:
        counts = Counter[str]()
        if strange:
            pixels = numbered(numbers, len(picture.shapes))
            for shape, number in zip(picture.shapes, pixels[1:].tolist(), strict=True):
                if shape.label in strange and not shape.ignored:
                    counts[shape.label] += number
        return counts

    def _encoded(self, labels: NDArray[np.unsignedinteger], mark: Fingerprint) -> bytes:
        if self.plte is None:
            return label_png.write_label(labels.astype(np.uint16, copy=False), None, mark)
        return direct.encode(labels.astype(np.uint8, copy=False), self.plte, mark)


def _bad(bad: tuple[BadShape, ...]) -> AnnotationError:
    more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    told = "; ".join(map(str, bad[:SHOWN]))
    return AnnotationError(f"{told}{more}; mend the annotation, or choose --bad-shapes skip")
