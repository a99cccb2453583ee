"""Class weights as a tensor, from statistics, from a folder, or from what `stats` printed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gpuseg.errors import MaskError, UsageError
from gpuseg.evaluation.options import unsaid_ignore
from gpuseg.frequencies.statistics import Stats
from gpuseg.frequencies.weights import WEIGHTINGS, Weighting
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import palette_of_run
from gpuseg.verbs.stats import stats

StrPath = str | os.PathLike[str]


def class_weights(
    source: Stats | Mapping[str, Any] | StrPath,
    weighting: Weighting = "enet",
    *,
    num_classes: int | None = None,
    palette: Palette | StrPath | None = None,
    ignore_index: int | None = None,
) -> torch.Tensor:
    """Weights for `torch.nn.CrossEntropyLoss(weight=…)`: float32 (K,), on the CPU.

    source: what `gpuseg.stats` gives; a folder of label maps, which are then counted; or what
        `gpuseg stats --json` prints, as a file (`….json`) or a dictionary.
    weighting: `inverse`, `median` or `enet`; formulas and sources stand at
        `gpuseg.frequencies.weights.class_weights`.
    num_classes: K, which must be the channels of the logits; None takes the largest class index
        + 1. More are filled up with 0. palette, ignore_index: of a folder, as in `gpuseg.stats`.

    Classes that never occur, and indices that are none, have weight 0.

    Raises UsageError for more classes than `num_classes`, for an ignore index that nobody named and
    that is a class of a folder's palette, and for a source that is none of these,
    MaskError where files of a folder could not be counted, and as `gpuseg.stats` does.
    """
    if weighting not in WEIGHTINGS:
        raise UsageError(f"weighting must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}")
    is_folder = not isinstance(source, Stats | Mapping) and not os.fspath(source).endswith(".json")
    if not is_folder and (palette is not None or ignore_index is not None):
        raise UsageError(
            "palette and ignore_index belong to a folder that is counted; leave them out"
        )
    if isinstance(source, Stats):
        weights = source.weights(weighting)
    elif isinstance(source, Mapping):
        weights = _printed(source, weighting, "the dictionary")
    elif is_folder:
        if ignore_index is None:
            _check_ignored(palette, source)
        found = stats(source, palette=palette, ignore_index=ignore_index)
        weights = _whole(found, source).weights(weighting)
    else:
        weights = _printed(_read(source), weighting, os.fspath(source))
    return torch.from_numpy(_of_length(weights, num_classes))


def _check_ignored(palette: Palette | StrPath | None, folder: StrPath) -> None:
    """Raise UsageError where a class would have weight 0, as nobody named an ignore index."""
    table = load_palette(palette) if palette is not None else palette_of_run(folder)
    if table is None or table.ignore_index is not None:
        return
    ignored = table.ignore_for(8)
    if table.is_real_class(ignored):
        raise unsaid_ignore(ignored, f"the classes of palette {table.name!r}", "pass ignore_index")


def _whole(found: Stats, folder: StrPath) -> Stats:
    """Statistics of a whole folder. Raises MaskError."""
    if found.report.exit_code == 0:
        return found
    first = "".join(f"; {row.source}: {row.message}" for row in found.report.failures[:1])
    raise MaskError(
        f"{os.fspath(folder)} cannot be counted as a whole: {found.report.summary()}{first}; mend "
        "that, or pass what gpuseg.stats gives, which counts the others"
    )


def _read(path: StrPath) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{os.fspath(path)} cannot be read as JSON ({error}); give what `gpuseg stats --json` "
            "prints, or a folder of label maps"
        ) from error


def _printed(facts: Any, weighting: Weighting, name: str) -> NDArray[np.float32]:
    try:
        weights = np.asarray(facts["weights"][weighting], np.float32)
    except (KeyError, TypeError, ValueError):
        weights = np.empty(0, np.float32)
    if weights.ndim != 1 or not weights.size or not np.isfinite(weights).all():
        raise UsageError(
            f"{name} holds no weights as `gpuseg stats --json` prints them, a list below "
            f"weights, {weighting}; print it again"
        )
    return weights


def _of_length(weights: NDArray[np.float32], wanted: int | None) -> NDArray[np.float32]:
    if wanted is None:
        return weights
    if wanted < len(weights):
        raise UsageError(
            f"there are classes up to index {len(weights) - 1}, num_classes is {wanted}; a loss "
            f"needs one weight for each channel of the logits, so {len(weights)} at least"
        )
    return np.pad(weights, (0, wanted - len(weights)))
