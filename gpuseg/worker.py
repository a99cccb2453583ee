"""A worker process: converts the files that its parent names, one after the other.

Started by `processes`, never by hand. It reads pickles from standard input: first the job,
then `Request` after request; for each it writes one pickle with their results to standard
output. It ends when its input does, as it does when the parent is killed.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import BinaryIO, NamedTuple

from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Source
from gpuseg.lines import encode_row
from gpuseg.pipeline import convert_source
from gpuseg.plan import Job
from gpuseg.report import FileResult

READY = "ready"

Converted = tuple[FileResult, bytes]
"""What became of a file, and its line of the report."""


class Request(NamedTuple):
    """Files to convert. again: a worker died over them, so their targets may be there already."""

    sources: list[Source]
    again: bool = False


def main() -> None:
    """Serve the parent until it hangs up."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anything prints is no answer
    try:
        _serve(requests, answers)
    except (EOFError, BrokenPipeError):  # the parent is done, or gone
        os._exit(0)  # without another try to flush the answers


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    job: Job = pickle.load(requests)  # noqa: S301  # from the parent, over a pipe of our own
    job.lookup.table.flags.writeable = False  # as in the parent: kernels are compiled for that
    once_more = job.without_resume()
    _answer(answers, READY)
    with size_limit_is_ours():
        while True:
            request: Request = pickle.load(requests)  # noqa: S301
            chosen = once_more if request.again else job
            results = [convert_source(source, chosen) for source in request.sources]
            _answer(answers, [(result, encode_row(result.row())) for result in results])


def _answer(answers: BinaryIO, message: object) -> None:
    pickle.dump(message, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()
