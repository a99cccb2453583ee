"""Where verbs put what they save."""

from __future__ import annotations

import os

from gpuseg import storage
from gpuseg.errors import OutputError, UsageError
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


def check_distinct(*places: StrPath | None) -> None:
    """Raise UsageError where two outputs would go to one place. None: no such output."""
    known: set[str] = set()
    for path in (os.fspath(place) for place in places if place is not None):
        path = path if storage.is_url(path) else os.path.realpath(path)
        if path in known:
            raise UsageError(f"{path} is named for two outputs; give each a place of its own")
        known.add(path)
