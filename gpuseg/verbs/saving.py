"""Where verbs put what they save."""

from __future__ import annotations

import os

from gpuseg.errors import OutputError
from gpuseg.output import check_local
from gpuseg.runs import StrPath


def make_plot_folder(folder: StrPath) -> None:
    """Make a folder for plots, before the work. Raises OutputError; UsageError: no matplotlib."""
    from gpuseg.plots import require

    require()
    check_local(os.fspath(folder))
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder of plots {os.fspath(folder)} cannot be made: {error.strerror}; "
            "choose another"
        ) from error
