"""How label maps become annotations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, get_args

from gpuseg.errors import UsageError
from gpuseg.options import ReadKeywords, ReadOptions
from gpuseg.palette import MAX_INDEX

Segmentation = Literal["polygon", "rle"]
"""How an annotation tells its pixels: by polygons along their edges, or by COCO's runs."""

By = Literal["component", "class"]
"""What one annotation is: one connected region, or all pixels of a class in an image."""

Connectivity = Literal[4, 8]
"""Whether pixels of a region touch at an edge (4), or at a corner is enough (8)."""


class PolygonizeKeywords(ReadKeywords, total=False):
    """The fields of `PolygonizeOptions` as keyword arguments."""

    segmentation: Segmentation
    by: By
    connectivity: Connectivity
    instances: str | os.PathLike[str] | None
    min_area: int
    background: str | int | None
    ignore_index: int | None
    image_suffix: str | None


@dataclass(frozen=True, kw_only=True)
class PolygonizeOptions(ReadOptions):
    """How label maps become annotations: `ReadOptions`, and these.

    segmentation, by, connectivity: see the types of these names.
    instances: a folder of instance maps of the same names, as `rasterize` writes them: 8 or 16
        bits, 0 for none, 255 or 65535 for void. What has an instance is one annotation, whatever
        `by` says; what is void has none.
    min_area: pixels of the smallest annotation; smaller ones are left out and counted.
    background: the class, by name or index, that has no annotations; "none" for no such class.
        None takes the palette's class that is called background or unlabeled, if there is one.
    ignore_index: which has no annotations either. None takes the palette's own, else 255 (65535
        where the palette has larger indices).
    image_suffix: what `file_name` ends in, in the place of the label map's own suffix.
    """

    segmentation: Segmentation = "polygon"
    by: By = "component"
    connectivity: Connectivity = 4
    instances: str | os.PathLike[str] | None = None
    min_area: int = 1
    background: str | int | None = None
    ignore_index: int | None = None
    image_suffix: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise UsageError(
                    f"{name} must be one of {', '.join(map(str, allowed))}, "
                    f"got {getattr(self, name)!r}"
                )
        if not _is_whole(self.min_area) or self.min_area < 1:
            raise UsageError(f"min_area must be at least 1 pixel, got {self.min_area!r}")
        index = self.ignore_index
        if index is not None and not (_is_whole(index) and 0 <= index <= MAX_INDEX):
            raise UsageError(f"ignore_index must be 0 to {MAX_INDEX}, got {index!r}")
        suffix = self.image_suffix
        if suffix is not None and (not suffix.startswith(".") or "/" in suffix):
            raise UsageError(f"image_suffix must be a suffix such as .jpg, got {suffix!r}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_CHOICES = {
    "segmentation": get_args(Segmentation),
    "by": get_args(By),
    "connectivity": get_args(Connectivity),
}
