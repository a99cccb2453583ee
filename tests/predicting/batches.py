"""Batches of predictions, and holding back whoever writes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg import PredictionWriter
from gpuseg.predicting.saving import Saving
from tests.helpers import tree
from tests.making import PALETTE, read_indices

LONG = 60
"""Seconds after which a test that hangs is told."""


def logits(batch: int, images: int = 3, channels: int = 6) -> np.ndarray:
    """float32 (images, channels, 12, 17)."""
    return np.random.default_rng(batch).standard_normal((images, channels, 12, 17), np.float32)


def names(batch: int, images: int = 3) -> list[str]:
    return [f"town{batch % 2}/frame{batch}{i}.jpg" for i in range(images)]


def check(dst: Path, batches: int) -> None:
    """That DST holds these batches, and nothing else."""
    wanted: dict[str, np.ndarray] = {}
    for batch in range(batches):
        labels = logits(batch).argmax(1)
        found = [name.replace(".jpg", ".png") for name in names(batch)]
        wanted |= dict(zip(found, labels, strict=True))
    assert tree(dst) == sorted(wanted)
    for name, labels in wanted.items():
        assert np.array_equal(read_indices(dst / name), labels), name


class Gate:
    """Holds every prediction back until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        real = Saving.run

        def run(saving: Saving, prediction: Any) -> Any:
            self.reached.set()
            assert self.open.wait(LONG)
            return real(saving, prediction)

        monkeypatch.setattr(Saving, "run", run)


def save_all(writer: PredictionWriter, batches: int) -> None:
    for batch in range(batches):
        writer.save(logits(batch), names(batch))


def raise_after(batches: int, dst: Path, then: Callable[[], None]) -> None:
    """Hand in batches, and raise in the `with`."""
    with PredictionWriter(dst, PALETTE) as writer:
        save_all(writer, batches)
        then()
        raise KeyError("the model")
