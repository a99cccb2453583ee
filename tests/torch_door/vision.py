"""torchvision as it can be had, also beside a torch that its compiled operators do not fit."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from types import ModuleType

import pytest


def import_torchvision() -> ModuleType:
    """torchvision, or skip the module.

    The wheel of an index is built for the CUDA build of torch, and beside the one for the CPU it
    cannot load its operators. Transforms and datasets need none, but importing it registers two
    of them, so torch is told of these: they can be called no better than before.
    """
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed", allow_module_level=True)
    try:
        return import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
    import torch

    for name in ("nms", "qnms"):
        signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        torch.library.define(f"torchvision::{name}", signature)
    return import_module("torchvision")
