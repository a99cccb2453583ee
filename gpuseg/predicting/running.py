"""A run that saves predictions: threads that write them, a report that fills."""

from __future__ import annotations

import numpy as np

from gpuseg import direct, storage
from gpuseg.destinations import destination
from gpuseg.discover import Listed
from gpuseg.errors import Interrupted
from gpuseg.folders import check_target, folds_case
from gpuseg.kernels.argmax import argmax_channels
from gpuseg.kernels.narrowing import narrow_labels
from gpuseg.narrowing import Allowed
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import describe
from gpuseg.predicting.backlog import Backlog
from gpuseg.predicting.naming import TargetNames
from gpuseg.predicting.options import SaveOptions
from gpuseg.predicting.saving import Prediction, Saving
from gpuseg.report_file import ReportWriter
from gpuseg.results import Report, count
from gpuseg.runs import (
    StrPath,
    default_report,
    header,
    keep_report,
    make_ready,
    report_place,
)

VERB = "predict"


class Run:
    """One run, from its first batch to the end of its report.

    allowed: the indices that may be saved. targets: where they go. backlog: what is not written
    yet. Raises UsageError, PaletteError and OutputError before anything is started.
    """

    def __init__(
        self, dst: str, palette: Palette | StrPath, options: SaveOptions, report: StrPath | None
    ) -> None:
        check_target(dst)
        table = load_palette(palette)
        table.check_depth(8, options.ignore_index)
        ignored = table.ignore_for(8, options.ignore_index)
        self.allowed = Allowed.of(table, ignored)
        self._saving = Saving(destination(dst), table.plte(ignored), options.overwrite)
        make_ready(self._make_ready)
        path = report_place(report) or default_report(dst, options.shard)
        if not options.overwrite:
            keep_report(path, VERB)
        head = header(VERB, Listed([]), dst) | {"shard": str(options.shard), "pattern": None}
        self._rows = ReportWriter(path, head | describe(table, ignored))
        try:
            self.targets = TargetNames(not storage.is_url(dst) and folds_case(dst))
            self.backlog = Backlog(self._save, options.worker_count, options.queue)
        except BaseException as error:
            self._rows.__exit__(type(error), error, None)
            raise

    def _make_ready(self) -> None:
        """Have the kernels compiled or loaded: here Ctrl-C does not fall into the compiler."""
        labels = np.zeros((1, 1, 1), np.uint8)
        argmax_channels(np.zeros((1, 2, 1, 1), np.float32), labels)
        for dtype in (np.int64, np.uint8):
            narrow_labels(np.zeros(1, dtype), self.allowed.table, labels.reshape(-1))
        direct.encode(labels[0], self._saving.plte)

    def _save(self, prediction: Prediction) -> None:
        self._rows.add(self._saving.run(prediction))

    @property
    def report(self) -> Report:
        """The run so far."""
        return self._rows.report

    def end(self, kind: type[BaseException] | None = None) -> None:
        """Return once all that was handed in is written, and the report is closed.

        kind: what ended the run early, if so. Ctrl-C meanwhile drops what no thread has begun and
        raises Interrupted. Raises WorkerError. Later calls do nothing.
        """
        if self.report.seconds:
            return
        try:
            self.backlog.finish()
        except BaseException as error:
            kind = type(error)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(self.report) from None
            raise
        finally:
            self._rows.__exit__(kind, None, None)

    @property
    def problem(self) -> str:
        """What went wrong, the first failure in full; "" if nothing did."""
        failed = self.report.failed
        if not failed:
            return self.report.problem
        first, done = self.report.failures[0], count(self.report.done, "prediction")
        more = f"; the report {self.report.path} names all of them" if failed > 1 else ""
        return (
            f"{failed:,} of {done} could not be saved, first {first.source}: {first.message}{more}"
        )
