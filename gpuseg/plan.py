"""What a conversion does for each file: everything that is the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.options import ConvertOptions
from gpuseg.palette import Palette
from gpuseg.palettes.of_run import describe
from gpuseg.targets import Targets

FORMAT_VERSION = 1
"""Raised when the same source and options would give another file: old targets are redone."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Everything that is the same for all files of a run.

    plte: palette bytes of the label maps, None at depth 16. ignore_index: the one that is
    written. targets: where the label maps go.
    """

    palette: Palette
    options: ConvertOptions
    lookup: Lookup
    plte: bytes | None
    ignore_index: int
    targets: Targets = field(repr=False)

    @classmethod
    def create(cls, dst: str, palette: Palette, options: ConvertOptions) -> Job:
        """Check palette against options and build the lookup. Raises PaletteError."""
        ignore_index = palette.ignore_for(options.depth, options.ignore_index)
        parts = (
            FORMAT_VERSION,
            options.unknown,
            options.tolerance,
            ignore_index,
            options.depth,
            options.grey,
        )
        lookup = build_lookup(palette, options)
        plte = palette.plte(ignore_index) if options.depth == 8 else None
        targets = Targets.create(dst, options, parts, palette)
        return cls(palette, options, lookup, plte, ignore_index, targets)

    @property
    def writes_directly(self) -> bool:
        """Whether label maps are written by the direct PNG path, and not by Pillow."""
        return self.options.codec == "auto" and self.plte is not None

    def describe(self) -> dict[str, Any]:
        """What the head of the report says of this job."""
        options = {
            name: getattr(self.options, name)
            for name in (
                "unknown",
                "tolerance",
                "depth",
                "codec",
                "device",
                "workers",
                "pattern",
                "keep_others",
                "column",
                "grey",
                "verify",
                "resume",
                "max_pixels",
            )
        }
        return {
            **describe(self.palette, self.ignore_index),
            "classes": len(self.palette),
            "merged_classes": [f"{m.name} -> {m.kept}" for m in self.palette.merged],
            "options": {
                **options,
                "ignore_index": self.ignore_index,
                "shard": str(self.options.shard),
            },
            "digest": self.targets.salt.hex(),
        }
