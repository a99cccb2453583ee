"""One file by both codecs, all the way from bytes to the label map on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Source
from gpuseg.options import ConvertOptions
from gpuseg.palette import Palette, voc_colormap
from gpuseg.pipeline import convert_source
from gpuseg.plan import Job
from gpuseg.results import FileResult
from tests.making import read_indices

PALETTE = Palette.from_colours(voc_colormap(200), name="two hundred")


@dataclass(frozen=True)
class Outcome:
    """The row of a file, and its label map where there is one."""

    row: FileResult
    labels: NDArray[np.uint8] | None

    @property
    def failed(self) -> bool:
        """Refused with a clear message; an internal error is none."""
        if self.row.status == "failed":
            assert self.row.error not in ("internal", "")
            assert len(self.row.message) > 20
        return self.row.status == "failed"


class Both:
    """A folder in which files are converted by codec `auto` and by codec `pillow`."""

    def __init__(self, folder: Path, palette: Palette = PALETTE, **options: Any) -> None:
        self.path = folder / "mask.png"
        self.jobs = []
        for codec in ("auto", "pillow"):
            settings = ConvertOptions(codec=codec, resume=False, device="cpu", **options)
            self.jobs.append(Job.create(str(folder / codec), palette, settings))

    def convert(self, png: bytes) -> tuple[Outcome, Outcome]:
        """What codec `auto` makes of a file, and what codec `pillow` does."""
        self.path.write_bytes(png)
        return self.convert_path(self.path)

    def convert_path(self, path: Path) -> tuple[Outcome, Outcome]:
        auto, pillow = (_convert(path, job) for job in self.jobs)
        assert pillow.row.codec in ("pillow", "")
        return auto, pillow


def _convert(path: Path, job: Job) -> Outcome:
    target = Path(job.targets.destination.path("mask.png"))
    target.unlink(missing_ok=True)
    with size_limit_is_ours():
        row = convert_source(Source(str(path), "mask.png"), job)
    assert target.exists() == (row.status == "converted")
    return Outcome(row, read_indices(target) if target.exists() else None)


def check_same(auto: Outcome, pillow: Outcome) -> None:
    """Both failed, or both made the same label map."""
    assert auto.failed == pillow.failed, (auto.row, pillow.row)
    if not auto.failed:
        assert np.array_equal(auto.labels, pillow.labels)
        assert auto.row.unknown_pixels == pillow.row.unknown_pixels
        assert auto.row.unknown_colours == pillow.row.unknown_colours
