"""Saving what a model predicts as label maps, while the model goes on."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, Unpack

from gpuseg.errors import OutputError, UsageError, WorkerError
from gpuseg.palette import Palette
from gpuseg.predicting.given import take_batch
from gpuseg.predicting.naming import Name, names_of
from gpuseg.predicting.options import SaveKeywords, SaveOptions
from gpuseg.predicting.running import Run
from gpuseg.predicting.saving import Prediction
from gpuseg.results import Report
from gpuseg.runs import StrPath


class PredictionWriter:
    """Saves the predictions of a model as label maps below DST; to be used in a `with`.

        with gpuseg.PredictionWriter("predictions", "cityscapes") as writer:
            for images, names in loader:
                writer.save(model(images), names)

    `save` looks for the largest scores where they are, copies one byte a pixel to the host and
    returns; threads encode and write meanwhile. With `queue` batches unfinished it waits.

    dst: a folder, made if need be, or a URL. palette: a Palette, the name of a preset, or a
        palette file: channel or index k is its class k.
    report: where the JSON Lines report goes, a row a prediction; by default
        `gpuseg-report.jsonl` in DST, by which `evaluate`, `stats` and `colorize` know the palette.
    options: the fields of `SaveOptions`: workers, queue, overwrite, ignore_index, shard.

    A prediction that was saved before is replaced, for they are made again every epoch; any other
    file is not, label maps that other verbs made neither, unless `overwrite`. Where several
    processes save to one DST, each has a report of its own: `shard=gpuseg.Shard(rank + 1, ranks)`.
    A copy of the writer in a process that was forked saves nothing: its `save` raises.

    Raises UsageError, PaletteError, and OutputError where the report cannot be begun or would
    replace that of another verb.
    """

    def __init__(
        self,
        dst: StrPath,
        palette: Palette | StrPath,
        *,
        report: StrPath | None = None,
        **options: Unpack[SaveKeywords],
    ) -> None:
        self._pid = os.getpid()
        self._run = Run(os.fspath(dst), palette, SaveOptions(**options), report)
        self._forgotten = weakref.finalize(self, _close_forgotten, self._run, self._pid)

    @property
    def report(self) -> Report:
        """The run so far: how many are written, what failed first. Whole once it is closed."""
        return self._run.report

    @property
    def waited(self) -> float:
        """Seconds that `save` has waited for the threads that write."""
        return self._run.backlog.waited

    def save(self, logits_or_indices: Any, names: Name | Iterable[Name]) -> None:
        """Have a batch saved; once this returns its arrays may be overwritten.

        logits_or_indices: float16, float32, float64 or, of torch, bfloat16 scores of shape
            (N, C, H, W), of which each pixel gets the channel of the largest (of equal ones the
            first; NaN is the largest), or integer indices of shape (N, H, W): classes, or the
            ignore index. NumPy and CuPy arrays, torch tensors on any device, and whatever speaks
            DLPack.
        names: N relative names: `a/b.jpg` is saved as `a/b.png`; each target once a writer. With
            one name, and not a list, arrays are those of one image: (C, H, W) or (H, W).

        What is wrong with a batch is raised here, before anything of it is written: LabelError
        for another shape or dtype and for an index that is no class, UsageError for a name that
        is unsafe or came before, a wrong number of names and a writer that is closed or of another
        process; MaskError and
        BackendError for arrays that cannot be reached. WorkerError where a thread has died. What
        cannot be written is told when the writer is closed, and stops nothing. Safe to call from
        several threads.
        """
        run = self._run
        if os.getpid() != self._pid:
            raise UsageError(
                "a writer belongs to the process that made it, got a batch in one that was forked "
                "from it, where no thread writes; make a writer in each process, with a shard each"
            )
        run.backlog.check()
        listed, single = names_of(names)
        batch = take_batch(logits_or_indices, single, run.allowed)
        if len(listed) != len(batch.labels):
            raise UsageError(
                f"each image needs a name, got {len(listed)} names of {len(batch.labels)} images"
            )
        targets = run.targets.take(listed)
        run.backlog.add(
            [
                Prediction(name, target, labels, batch.device)
                for name, target, labels in zip(listed, targets, batch.labels, strict=True)
            ]
        )

    def close(self) -> None:
        """Return once all is written. Later calls do nothing.

        Raises OutputError, once all else is written, that names the first prediction that could
        not be and counts them; WorkerError where a thread has died; Interrupted on Ctrl-C, which
        drops what no thread has begun.
        """
        if not self._is_ours():
            return
        self._run.end()
        if self._run.problem:
            raise OutputError(self._run.problem)

    def _is_ours(self) -> bool:
        """Whether it is still to be closed, and by this process."""
        return self._forgotten.detach() is not None and os.getpid() == self._pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it. What the body raised goes on; all that `save` took is still written."""
        if error is None:
            self.close()
            return
        if self._is_ours():
            try:
                self._run.end(kind)
            except WorkerError as lost:
                error.add_note(str(lost))
            if self._run.problem:
                error.add_note(self._run.problem)


def save_predictions(
    logits_or_indices: Any,
    names: Name | Iterable[Name],
    dst: StrPath,
    palette: Palette | StrPath,
    *,
    report: StrPath | None = None,
    **options: Unpack[SaveKeywords],
) -> Report:
    """Save one batch of predictions as label maps; returns its report when all is on disk.

    All as in `PredictionWriter` and its `save`, which are for more than one batch: here each call
    replaces the report of the one before. Raises what they raise.
    """
    with PredictionWriter(dst, palette, report=report, **options) as writer:
        writer.save(logits_or_indices, names)
    return writer.report


def _close_forgotten(run: Run, pid: int) -> None:
    """The end of a writer that nobody closed, at the end of the program at the latest."""
    if os.getpid() != pid:
        return
    if run.backlog.is_on_own_thread():  # garbage is collected on any; it cannot wait for itself
        threading.Thread(target=_close_forgotten, args=(run, pid)).start()
        return
    run.end()
    if run.problem:
        raise OutputError(run.problem)
    warnings.warn("a PredictionWriter was not closed; use it in a `with`", ResourceWarning, 2)
