"""What `evaluate` leaves behind besides its report: tables, plots and a page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gpuseg.errors import UsageError
from gpuseg.evaluation.result import CSV_HEAD, Evaluation
from gpuseg.evaluation.tables import CORNER, check_images, matrix_csv
from gpuseg.output import check_replaceable, write_atomically
from gpuseg.runs import StrPath
from gpuseg.verbs.saving import check_distinct, make_plot_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where things go; what is None is not wanted.

    table: of `save_csv`. matrix: of `save_matrix`. images: of `evaluate`. plots: of `save_plots`.
    page, over, overwrite: of `save_page`. report: of `evaluate`, which writes it.
    """

    table: StrPath | None = None
    matrix: StrPath | None = None
    images: StrPath | None = None
    plots: StrPath | None = None
    page: StrPath | None = None
    over: StrPath | None = None
    overwrite: bool = False
    report: StrPath | None = None

    def check(self) -> None:
        """Refuse what could not be written once all is counted, and make the folder of plots.

        Raises OutputError, and UsageError: without matplotlib or jinja2, or for two of one place.
        """
        check_distinct(self.table, self.matrix, self.images, self.page, self.report)
        if self.table is not None:
            _check_table(self.table)
        if self.matrix is not None:
            _check_matrix(self.matrix)
        if self.images is not None:
            check_images(os.fspath(self.images))
        if self.page is not None:
            _check_page(self.page, self.overwrite)
        if self.over is not None:
            _check_over(self.over, self.page)
        if self.overwrite and self.page is None:
            raise UsageError("--overwrite is for a page, got none; name it with --page")
        if self.plots is not None:
            make_plot_folder(self.plots)

    def save(self, found: Evaluation) -> tuple[str, ...]:
        """Write all but the table of pairs, which is written; returns paths. Raises OutputError."""
        saved = [os.fspath(self.images)] if self.images is not None else []
        if self.table is not None:
            save_csv(found, self.table)
            saved.append(os.fspath(self.table))
        if self.matrix is not None:
            save_matrix(found, self.matrix)
            saved.append(os.fspath(self.matrix))
        if self.plots is not None:
            saved.extend(save_plots(found, self.plots))
        if self.page is not None:
            save_page(found, self.page, over=self.over, overwrite=self.overwrite)
            saved.append(os.fspath(self.page))
        return tuple(saved)


def save_evaluation(
    found: Evaluation,
    *,
    csv: StrPath | None = None,
    matrix: StrPath | None = None,
    plots: StrPath | None = None,
    page: StrPath | None = None,
    over: StrPath | None = None,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write what there is to look at of an evaluation; returns the paths.

    csv: a table, a row a class. matrix: the confusion matrix, as CSV. plots: a folder for
    confusion.svg, confusion.png and iou.svg. page: an HTML page with pictures of the worst pairs.
    over: photographs for it, of the same places and stems. overwrite: replace a file that is no
    such page.
    Raises OutputError, and UsageError without what plots and pages need (extra `report`).
    """
    wanted = Outputs(
        table=csv, matrix=matrix, plots=plots, page=page, over=over, overwrite=overwrite
    )
    wanted.check()
    return wanted.save(found)


def save_csv(found: Evaluation, path: StrPath) -> None:
    """Write `Evaluation.as_csv`, in the place of an earlier one and of no other file.

    Raises OutputError.
    """
    _check_table(path)
    write_atomically(os.fspath(path), found.as_csv().encode("utf-8", "backslashreplace"))


def save_matrix(found: Evaluation, path: StrPath) -> None:
    """Write the confusion matrix as CSV, in the place of an earlier one and of no other file.

    Rows are classes of the truth, columns those of the prediction, then `ignored` and `outside`.
    Raises OutputError.
    """
    _check_matrix(path)
    write_atomically(os.fspath(path), matrix_csv(found).encode("utf-8", "backslashreplace"))


def save_plots(found: Evaluation, folder: StrPath) -> tuple[str, ...]:
    """Write confusion.svg, confusion.png and iou.svg to a folder; returns their paths.

    Where no class occurs nothing is drawn. Raises OutputError, and UsageError without matplotlib.
    """
    from gpuseg.evaluation.drawing import draw_evaluation

    plots = draw_evaluation(found)
    files = {f"{name}.svg": plot.svg().encode("utf-8") for name, plot in plots.items()}
    if "confusion" in plots:
        files["confusion.png"] = plots["confusion"].png()
    paths = []
    for name, data in sorted(files.items()):
        paths.append(os.path.join(folder, name))
        write_atomically(paths[-1], data)
    return tuple(paths)


def save_page(
    found: Evaluation, path: StrPath, *, over: StrPath | None = None, overwrite: bool = False
) -> Path:
    """Write a page about an evaluation, with pictures of the worst pairs; returns where it is.

    over: a folder of photographs of the same places and stems as the truths or the predictions.
    overwrite: replace a file that is no such page.
    A pair that cannot be read any more is told on the page. Needs jinja2 and matplotlib (extra
    `report`). Raises OutputError and UsageError.
    """
    from gpuseg.pages.evaluation import make_page

    _check_page(path, overwrite)
    if over is not None:
        _check_over(over, path)
    page = make_page(found, os.fspath(over) if over is not None else None)
    write_atomically(os.fspath(path), page)
    return Path(path)


def _check_table(path: StrPath) -> None:
    """A table may replace a table: the path could be that of a palette or of a label map."""
    advice = "--csv must name a new file, or an earlier table, in a folder that exists"
    check_replaceable(os.fspath(path), CSV_HEAD.encode(), advice)


def _check_matrix(path: StrPath) -> None:
    advice = "--matrix must name a new file, or an earlier one, in a folder that exists"
    check_replaceable(os.fspath(path), CORNER.encode(), advice)


def _check_page(path: StrPath, overwrite: bool) -> None:
    from gpuseg import plots
    from gpuseg.pages import html
    from gpuseg.pages.evaluation import GENERATOR

    html.check_installed()
    plots.require()
    mark = b"" if overwrite else f'<meta name="generator" content="{GENERATOR}'.encode()
    check_replaceable(os.fspath(path), mark, "choose another --page (--overwrite replaces any)")


def _check_over(over: StrPath, page: StrPath | None) -> None:
    if page is None:
        raise UsageError("--over names photographs for a page, got none; name it with --page")
    if not os.path.isdir(over):
        raise UsageError(f"--over must be a folder, got {os.fspath(over)!r}, which is none")
