"""A confusion matrix that batches of predictions are added to, where they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import index as whole_number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError, UsageError
from gpuseg.evaluation.options import unsaid_ignore
from gpuseg.evaluation.scores import MOST_CLASSES, Scores
from gpuseg.foreign import Taken, check_indices, in_turn, take
from gpuseg.palette import MAX_INDEX, Palette


class ConfusionMatrix:
    """Which class was predicted where the truth has which: pixels, added up batch by batch.

        matrix = gpuseg.ConfusionMatrix("cityscapes")
        for images, truth in loader:
            matrix.add(model(images).argmax(1), truth)
        print(matrix.scores().miou)

    classes: a Palette, the name or file of one, or how many classes there are (0 to K - 1), 4096
        at most. Two colours of one index are one class.
    ignore_index: pixels whose truth it is do not count, and it is no class; None takes the
        palette's own, else 255, or 65535 where there are indices above 255.

    Batches are counted where they are: host arrays by the CPU, CUDA arrays by their device, which
    nobody waits for until the matrix is asked for. Batches of several devices, and of the host,
    go into one matrix. A matrix is for one thread at a time; those of several threads, processes
    or machines (it can be pickled) are merged.

    Raises UsageError and PaletteError for what names no classes, or too many, and where the ignore
    index that nobody named is a class.
    """

    def __init__(
        self, classes: Palette | str | os.PathLike[str] | int, *, ignore_index: int | None = None
    ) -> None:
        self._legend = _legend(classes, ignore_index)
        self._sum = self._legend.zeros()
        self._devices: dict[int, Any] = {}  # number -> DeviceMatrix

    @property
    def indices(self) -> tuple[int, ...]:
        """The class of each row and column of the scores, ascending."""
        return self._legend.indices

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes; their numbers where no palette was given."""
        return self._legend.names

    @property
    def ignore_index(self) -> int:
        """Pixels whose truth it is do not count."""
        return self._legend.ignore_index

    def add(self, prediction: Any, truth: Any) -> None:
        """Count the pixels of a batch.

        prediction, truth: integers of any dtypes, of one shape, (H, W) or (N, H, W), or lists of
            such of mixed sizes: NumPy and CuPy arrays, torch tensors, and whatever speaks DLPack
            or an array interface. Both on the same device. An array that is not contiguous is
            copied where it is.

        CUDA tensors of torch are counted on the current stream of torch, arrays of CuPy on that of
        CuPy, and the call returns before that is done; arrays of others are waited for.

        Raises LabelError for other dtypes and shapes, MaskError for what is no array, BackendError
        for a CUDA array that CuPy cannot use. A batch that raises adds nothing, but for the pairs
        of a list before the one at fault.
        """
        if not isinstance(prediction, list | tuple) and not isinstance(truth, list | tuple):
            self._add(prediction, truth, "")
            return
        if len(prediction) != len(truth):
            raise LabelError(
                f"a prediction was expected for each truth, got {len(prediction)} predictions and "
                f"{len(truth)} truths"
            )
        for i, (predicted, true) in enumerate(zip(prediction, truth, strict=True)):
            self._add(predicted, true, f"pair {i}: ")

    @property
    def matrix(self) -> NDArray[np.int64]:
        """All counts so far, int64 (C + 2, C + 2): truth in rows, prediction in columns.

        The C classes, then the ignore index, then all other indices. Waits for the devices.
        """
        total = self._sum.copy()
        for device in self._devices.values():
            total += device.get()
        return total

    def scores(self) -> Scores:
        """What the matrix says. Raises LabelError where a truth was neither class nor ignored."""
        matrix, count = self.matrix, len(self.indices)
        strange = int(matrix[count + 1].sum())
        if strange:
            raise LabelError(
                f"{strange:,} of {int(matrix.sum()):,} pixels of the truth have an index that is "
                f"neither one of {self._legend} nor the ignore index {self.ignore_index}; use the "
                "classes they belong to, or pass ignore_index"
            )
        return Scores(matrix[:count])

    def merge(self, other: ConfusionMatrix) -> None:
        """Add all that another one has counted. Raises UsageError for one of other classes."""
        if not isinstance(other, ConfusionMatrix) or other._legend != self._legend:
            raise UsageError(
                f"a confusion matrix of {self._legend} with ignore index {self.ignore_index} was "
                f"expected, got {other!r}"
            )
        self._sum += other.matrix

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """Both together, as a new one."""
        both: ConfusionMatrix = ConfusionMatrix.__new__(ConfusionMatrix)
        both.__setstate__(self.__getstate__())
        both.merge(other)
        return both

    def reset(self) -> None:
        """Forget all that was counted."""
        self._sum = self._legend.zeros()
        self._devices = {}

    def __repr__(self) -> str:
        """Its classes."""
        return f"ConfusionMatrix of {self._legend} with ignore index {self.ignore_index}"

    def __getstate__(self) -> tuple[_Legend, NDArray[np.int64]]:
        """What travels: the counts of all devices, summed in host memory."""
        return self._legend, self.matrix

    def __setstate__(self, state: tuple[_Legend, NDArray[np.int64]]) -> None:
        """The matrix elsewhere, in host memory."""
        self._legend, self._sum = state
        self._devices = {}

    def _add(self, prediction: Any, truth: Any, where: str) -> None:
        with in_turn(prediction, truth):
            found = take(prediction, f"{where}prediction: ", check_indices)
            wanted = take(truth, f"{where}truth: ", check_indices)
            _check_pair(found, wanted, where)
            if found.on_device:
                device = found.array.device
                with device:
                    self._on(device.id).add(wanted.array.reshape(-1), found.array.reshape(-1))
            else:
                self._add_on_host(wanted.array.reshape(-1), found.array.reshape(-1))

    def _add_on_host(self, truth: NDArray[Any], prediction: NDArray[Any]) -> None:
        from gpuseg.kernels.confusion import confuse  # loads numba

        native = [a.astype(a.dtype.newbyteorder("="), copy=False) for a in (truth, prediction)]
        offsets = np.array([0, truth.size], np.int64)
        confuse(native[0], native[1], offsets, self._legend.slots, self._sum[None])

    def _on(self, number: int) -> Any:
        """The counts of the current device, which has that number."""
        if number not in self._devices:
            from gpuseg.kernels import cuda

            self._devices[number] = cuda.DeviceMatrix(self._legend.slots, len(self._sum))
        return self._devices[number]


@dataclass(frozen=True)
class _Legend:
    """What rows and columns mean. indices, names: of the classes. called: for messages."""

    indices: tuple[int, ...]
    names: tuple[str, ...]
    ignore_index: int
    called: str

    def __str__(self) -> str:
        return self.called

    def zeros(self) -> NDArray[np.int64]:
        """A matrix of nothing."""
        return np.zeros((len(self.indices) + 2, len(self.indices) + 2), np.int64)

    @cached_property
    def slots(self) -> NDArray[np.uint16]:
        """Which row and column an index has, uint16 (largest index + 1,), as kernels take it."""
        count = len(self.indices)
        table = np.full(max(*self.indices, self.ignore_index) + 1, count + 1, np.uint16)
        table[list(self.indices)] = np.arange(count)
        table[self.ignore_index] = count
        return table


def _legend(classes: Any, ignore_index: int | None) -> _Legend:
    """The classes that were asked for. Raises UsageError and PaletteError."""
    if isinstance(classes, Palette | str | os.PathLike):
        from gpuseg.palettes.load import load_palette

        palette = load_palette(classes)
        names = {index: entry.name for index, entry in palette.first_by_index().items()}
        own, called = palette.ignore_index, f"the classes of palette {palette.name!r}"
        is_class: Callable[[int], bool] = palette.is_real_class
    else:
        names = {index: str(index) for index in range(_whole(classes, "classes", MOST_CLASSES))}
        own, called = None, f"the classes 0 to {len(names) - 1}"
        is_class = names.__contains__
    if ignore_index is not None:
        ignored = _whole(ignore_index, "ignore_index", MAX_INDEX)
    elif own is not None:
        ignored = own
    else:
        ignored = 255 if max(names) < 256 else MAX_INDEX
        if is_class(ignored):
            raise unsaid_ignore(ignored, called, "pass ignore_index")
    indices = tuple(sorted(set(names) - {ignored}))
    if not indices:
        raise UsageError(f"expected a class at least besides the ignore index, got {called}")
    if len(indices) > MOST_CLASSES:
        raise UsageError(
            f"expected {MOST_CLASSES:,} classes at most, got {called}: {len(indices):,}; make "
            "fewer of them first, for instance by gpuseg remap"
        )
    return _Legend(indices, tuple(names[index] for index in indices), ignored, called)


def _whole(value: Any, name: str, most: int) -> int:
    least = 1 if name == "classes" else 0
    try:
        number = -1 if isinstance(value, bool) else whole_number(value)
    except TypeError:
        number = -1
    if least <= number <= most:
        return number
    kinds = "a palette, the name or file of one, or " if name == "classes" else ""
    advice = "" if name == "classes" else "; label maps hold no index below 0, so use 255 in both"
    raise UsageError(
        f"{name} must be {kinds}a whole number from {least} to {most}, got {value!r}{advice}"
    )


def _check_pair(prediction: Taken, truth: Taken, where: str) -> None:
    """Raise LabelError where the two do not belong together."""
    if prediction.array.shape != truth.array.shape:
        raise LabelError(
            f"{where}prediction and truth must have one shape, got {prediction.array.shape} and "
            f"{truth.array.shape}; resize the scores of the network before they become indices"
        )
    places = [
        f"cuda:{taken.array.device.id}" if taken.on_device else "host memory"
        for taken in (prediction, truth)
    ]
    if places[0] != places[1]:
        raise LabelError(
            f"{where}prediction and truth must be on one device, got a prediction in {places[0]} "
            f"and a truth in {places[1]}; move the truth there, in torch with "
            "truth.to(prediction.device)"
        )
