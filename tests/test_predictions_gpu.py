"""Predictions on a CUDA device: apart from the other tests, whose helpers need the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg import save_predictions
from gpuseg.kernels import backend
from tests.making import PALETTE, read_indices

NAMES = ["town/a.jpg", "town/b.jpg", "c.jpg"]


@pytest.mark.gpu
def test_predictions_on_a_device(tmp_path: Path) -> None:
    if problem := backend.probe_cuda():
        pytest.skip(f"no CUDA device: {problem}")
    import cupy

    scores = np.random.default_rng(0).standard_normal((3, 6, 12, 17), np.float32)
    labels = scores.argmax(1)
    scores[0, 2:4, 0] = np.nan
    labels[0, 0] = 2
    arrays: list[Any] = [cupy.asarray(scores.astype(kind)) for kind in ("f4", "f8")]
    arrays += [cupy.asarray(scores)[:, :, ::-1][:, :, ::-1], cupy.asarray(labels)]
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        tensor = torch.from_numpy(scores).cuda()
        arrays += [tensor, tensor.contiguous(memory_format=torch.channels_last)]
        arrays += [tensor.clone().requires_grad_(), torch.from_numpy(labels).cuda()]
    for number, array in enumerate(arrays):
        save_predictions(array, NAMES, tmp_path / str(number), PALETTE)
        for name, expected in zip(NAMES, labels, strict=True):
            found = read_indices((tmp_path / str(number) / name).with_suffix(".png"))
            assert np.array_equal(found, expected)
