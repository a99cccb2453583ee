"""How often each class occurs in a set of label maps, as a value."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.frequencies.counts import TOGETHER, Tally
from gpuseg.frequencies.mmseg import mmseg_config
from gpuseg.frequencies.remarks import remarks_on
from gpuseg.frequencies.weights import WEIGHTINGS, Weighting, class_weights
from gpuseg.palette import Palette
from gpuseg.palette_entries import rgb_of
from gpuseg.results import Report

RARE = 0.1
"""A class is rare that has less than this part of what each would have if all were as large."""

_FIELDS = ("index", "name", "colour", "pixels", "images", "share", "image_share")

CSV_HEAD = ",".join([*_FIELDS, *(f"weight_{weighting}" for weighting in WEIGHTINGS), "kind"])
"""First line of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStats:
    """One class, or the ignore index, or an index that the palette does not hold.

    name: the number where no palette is known, "" where the palette does not hold the index.
    colour: `#rrggbb`, that of the palette, else the one that most files have; "" if there is none.
    pixels, images: that hold it. share, image_share: of all pixels but the ignored, and of all
    label maps, 0 to 1; the share of the ignore index is 0. weights: see `class_weights`; 0 for
    what is no class. is_class: neither ignored nor unlisted. ignored: it is the ignore index.
    """

    index: int
    name: str
    colour: str
    pixels: int
    images: int
    share: float
    image_share: float
    weights: Mapping[Weighting, float]
    is_class: bool
    ignored: bool

    @property
    def rgb(self) -> tuple[int, int, int] | None:
        """The colour as three values 0 to 255."""
        return rgb_of(self.colour) if self.colour else None

    def as_dict(self) -> dict[str, Any]:
        """All fields, for programs."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"weights": dict(self.weights)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stats:
    """What a set of label maps holds.

    report: how the files were gone through; its `failed` are not counted here.
    palette: name of the palette, "" where none is known. ignore_index: the index of no class.
    classes: by index; those of the palette, whether they occur or not, and all else that occurs.
    images: label maps. pixels: of them, without the ignored; ignored_pixels: those.
    co_occurrence: int64 (M, M), label maps that hold both of two of the first M classes, all
        with an index below 1024; the diagonal: that hold one.
    sizes: label maps by (width, height); other_sizes: beyond the first 4096 sizes.
    formats: label maps by format and bits of a label, for instance `PNG, 8-bit`.
    remarks: what is odd, a sentence each.
    """

    report: Report
    palette: str
    ignore_index: int
    classes: tuple[ClassStats, ...]
    images: int
    pixels: int
    ignored_pixels: int
    co_occurrence: NDArray[np.int64]
    sizes: Counter[tuple[int, int]]
    other_sizes: int
    formats: Counter[str]
    remarks: tuple[str, ...]

    @property
    def unlisted(self) -> tuple[ClassStats, ...]:
        """Indices that occur and are neither classes of the palette nor the ignore index."""
        return tuple(c for c in self.classes if not (c.is_class or c.ignored))

    @property
    def largest(self) -> ClassStats | None:
        """The class with the most pixels (the first of several), None where none occurs."""
        return max(self._seen(), key=lambda c: c.pixels, default=None)

    @property
    def smallest(self) -> ClassStats | None:
        """The class with the fewest pixels of those that occur, None where none does."""
        return min(self._seen(), key=lambda c: c.pixels, default=None)

    @property
    def rare(self) -> tuple[ClassStats, ...]:
        """Classes with less than a tenth of an equal share of the pixels; rarest first."""
        seen = self._seen()
        rare = [c for c in seen if c.share * len(seen) < RARE]
        return tuple(sorted(rare, key=lambda c: c.pixels))

    @property
    def missing(self) -> tuple[ClassStats, ...]:
        """Classes of the palette that never occur."""
        return tuple(c for c in self.classes if c.is_class and not c.pixels)

    def _seen(self) -> list[ClassStats]:
        return [c for c in self.classes if c.is_class and c.pixels]

    def weights(self, weighting: Weighting = "median") -> NDArray[np.float32]:
        """Weights for `torch.nn.CrossEntropyLoss(weight=torch.from_numpy(...))`.

        float32 (largest class index + 1,), by index; 0 for the ignore index, for indices that are
        no class, and for classes that never occur. weighting: see `class_weights`, where the
        formulas and their sources stand. Raises UsageError for one that does not exist.
        """
        class_weights(np.zeros(0, np.int64), np.zeros(0, np.int64), 0, weighting)  # is it one?
        classes = [c for c in self.classes if c.is_class]
        dense = np.zeros(classes[-1].index + 1 if classes else 0, np.float32)
        for entry in classes:
            dense[entry.index] = entry.weights[weighting]
        return dense

    def as_dict(self) -> dict[str, Any]:
        """All but the report, for programs. `co_occurrence` has the `classes` in their order."""
        return {
            "palette": self.palette,
            "ignore_index": self.ignore_index,
            "label_maps": self.images,
            "counted_pixels": self.pixels,
            "ignored_pixels": self.ignored_pixels,
            "classes": [entry.as_dict() for entry in self.classes],
            **{name: _index_of(getattr(self, name)) for name in ("largest", "smallest")},
            **{
                name: [entry.index for entry in getattr(self, name)]
                for name in ("rare", "missing", "unlisted")
            },
            "weights": {w: [float(f"{v:.9g}") for v in self.weights(w)] for w in WEIGHTINGS},
            "co_occurrence": self.co_occurrence.tolist(),
            "sizes": [
                {"width": width, "height": height, "label_maps": images}
                for (width, height), images in _by_count(self.sizes)
            ],
            "other_sizes": self.other_sizes,
            "formats": dict(_by_count(self.formats)),
            "remarks": list(self.remarks),
        }

    def as_mmseg(self, labels: str, weighting: Weighting = "enet") -> str:
        """A piece of a configuration for mmsegmentation 1.x; see `mmseg.mmseg_config`.

        labels: the folder of the label maps, as it is to stand there. Raises UsageError where
        mmsegmentation would misread them: without a palette, with gaps in the indices …
        """
        return mmseg_config(self, labels, weighting)

    def as_csv(self) -> str:
        """A row a class, with a head; lines end in a line feed alone."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        text.write(f"{CSV_HEAD}\n")
        for c in self.classes:
            kind = "class" if c.is_class else "ignored" if c.ignored else "unlisted"
            known = [getattr(c, field) for field in _FIELDS]
            writer.writerow([*known, *(c.weights[w] for w in WEIGHTINGS), kind])
        return text.getvalue()


def _index_of(entry: ClassStats | None) -> int | None:
    return entry.index if entry is not None else None


def _by_count(counter: Counter[Any]) -> list[tuple[Any, int]]:
    """Most first, and in the order of the things where counts are equal."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def conclude(report: Report, tally: Tally, palette: Palette | None) -> Stats:
    """The statistics that follow from the sums over label maps. palette: None if not known."""
    ignored = tally.pixels.get(tally.ignore_index, 0)
    total = sum(tally.pixels.values()) - ignored
    classes = _classes(tally, palette, total)
    few = [entry.index for entry in classes if entry.index < TOGETHER]
    return Stats(
        report=report,
        palette=palette.name if palette is not None else "",
        ignore_index=tally.ignore_index,
        classes=classes,
        images=tally.images,
        pixels=total,
        ignored_pixels=ignored,
        co_occurrence=tally.together(few),
        sizes=Counter(dict(_by_count(tally.sizes))),
        other_sizes=tally.other_sizes,
        formats=Counter({f"{f}, {bits}-bit": n for (f, bits), n in _by_count(tally.formats)}),
        remarks=tuple(remarks_on(tally, palette)),
    )


def _classes(tally: Tally, palette: Palette | None, total: int) -> tuple[ClassStats, ...]:
    listed = palette.first_by_index() if palette is not None else {}
    indices = sorted(set(tally.pixels) | set(listed))
    known = set(listed) if palette is not None else set(indices)
    real = [index for index in indices if index in known and index != tally.ignore_index]
    pixels = np.array([tally.pixels.get(index, 0) for index in real], np.int64)
    area = np.array([tally.area.get(index, 0) for index in real], np.int64)
    weights = {
        w: dict(zip(real, class_weights(pixels, area, total, w).tolist(), strict=True))
        for w in WEIGHTINGS
    }
    images, found = tally.images_of(), []
    for index in indices:
        ignored = index == tally.ignore_index
        count = tally.pixels.get(index, 0)
        name = "" if palette is not None else str(index)
        found.append(
            ClassStats(
                index=index,
                name=listed[index].name if index in listed else name,
                colour=listed[index].hex if index in listed else _usual_colour(tally, index),
                pixels=count,
                images=images[index],
                share=0.0 if ignored or not total else count / total,
                image_share=images[index] / tally.images if tally.images else 0.0,
                weights={w: weights[w].get(index, 0.0) for w in WEIGHTINGS},
                is_class=index in known and not ignored,
                ignored=ignored,
            )
        )
    return tuple(found)


def _usual_colour(tally: Tally, index: int) -> str:
    """The colour that most files give an index, the smallest of several; "" if none does."""
    colours = tally.colours().get(index)
    return f"#{_by_count(colours)[0][0].hex()}" if colours else ""
