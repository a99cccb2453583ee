"""A worker process: converts the files that its parent names, one after the other.

Started by `processes`, never by hand. It reads pickles from standard input: first the job and
the token of the run, then lists of files; for each list it writes one pickle with the results
to standard output. It ends with None, and when its input does, as when the parent is killed.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import BinaryIO

from gpuseg import output
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Source
from gpuseg.lines import encode_row
from gpuseg.pipeline import convert_source
from gpuseg.plan import Job
from gpuseg.report import FileResult

READY = b"gpuseg worker is ready\n"
"""The line that comes before all answers; others may print before it, as Python starts."""

Converted = tuple[FileResult, bytes]
"""What became of a file, and its line of the report."""


def main() -> None:
    """Serve the parent until it says goodbye or hangs up."""
    requests = sys.stdin.buffer
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "wb")
    # what anything prints from now on is no answer
    os.dup2(os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else 2, 1)
    try:
        _serve(requests, answers)
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):  # the parent is gone
        os._exit(0)  # without another try to flush the answers


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    job: Job
    job, token = pickle.load(requests)  # noqa: S301  # from the parent, over a pipe of our own
    job.lookup.table.flags.writeable = False  # as in the parent: kernels are compiled for that
    output.join_run(token)
    answers.write(b"\n" + READY)
    answers.flush()
    with size_limit_is_ours():
        while (sources := pickle.load(requests)) is not None:  # noqa: S301
            pickle.dump(_convert(sources, job), answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()


def _convert(sources: list[Source], job: Job) -> list[Converted]:
    results = []
    for source in sources:
        result = convert_source(source, job)
        results.append((result, encode_row(result.row())))
        if job.options.fail_fast and result.status == "failed":
            break
    return results
