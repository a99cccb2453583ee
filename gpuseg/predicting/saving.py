"""One prediction to its file: encoded, and written whole or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.destinations import Destination
from gpuseg.errors import OutputError
from gpuseg.results import FileResult

MARK = Fingerprint(hashlib.blake2b(b"gpuseg predict", digest_size=16).digest())
"""What predictions carry. They are made again and again, of what no file tells: so they are told
from the label maps of other verbs, which are not replaced, and not from each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A label map on its way to its file.

    name: what it was called. target: its path below DST. labels: uint8 (H, W), C-contiguous.
    device: see `Batch`.
    """

    name: str
    target: str
    labels: NDArray[np.uint8]
    device: str


@dataclass(frozen=True, slots=True, eq=False)
class Saving:
    """The task of saving predictions, from any thread.

    plte: the palette's 768 bytes. overwrite: replace what is no prediction, too.
    """

    destination: Destination = field(repr=False)
    plte: bytes = field(repr=False)
    overwrite: bool

    def run(self, prediction: Prediction) -> FileResult:
        """Save one; whatever happens becomes its row."""
        height, width = prediction.labels.shape
        seconds: dict[str, float] = {}
        facts = {
            "width": width,
            "height": height,
            "device": prediction.device,
            "seconds": seconds,
        }
        try:
            self._save(prediction, seconds)
        except Exception as error:  # a file that fails never stops another
            return FileResult.failure(prediction.name, error, **facts)
        return FileResult(
            source=prediction.name, target=prediction.target, status="converted", **facts
        )

    def _save(self, prediction: Prediction, seconds: dict[str, float]) -> None:
        begun = perf_counter()
        target = self.destination.path(prediction.target)
        self._look(target)
        encoding = perf_counter()
        data = direct.encode(prediction.labels, self.plte, MARK)
        seconds["encode"] = perf_counter() - encoding
        self.destination.write(target, data)
        seconds["write"] = perf_counter() - begun - seconds["encode"]

    def _look(self, target: str) -> None:
        """Raise OutputError for what must not be replaced."""
        found = self.destination.look(target)
        if found is None or self.overwrite:
            return
        mark = found.fingerprint
        if mark is None or mark.digest not in (MARK.digest, b""):  # b"": one that was cut off
            raise OutputError(
                f"the target {target} exists and is no prediction that gpuseg saved; remove it, "
                "choose another DST, or pass overwrite=True"
            )
