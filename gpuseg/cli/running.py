"""What the commands of all verbs have in common: the progress bar, and the end of a run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gpuseg.text import one_line

if TYPE_CHECKING:
    from gpuseg.results import Report
    from gpuseg.runs import Progress

Found = TypeVar("Found")


class Output:
    """How a command tells of its run. Takes `quiet` and `as_json` out of the command's flags."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self.quiet, self.as_json = flags.pop("quiet"), flags.pop("as_json")
        if "no_resume" in flags:
            flags["resume"] = not flags.pop("no_resume")

    def write(self, count: Callable[[], int | None], work: Callable[[Progress], Report]) -> Report:
        """Do what gives a report under a progress bar; where something ends it, the report so far.

        count: how many files there are.
        """
        from gpuseg.errors import DeviceError, Interrupted, SchedulerError

        try:
            return self._run(count, work)
        except Interrupted as interrupt:
            return interrupt.report
        except (DeviceError, SchedulerError) as error:
            if error.report is None:  # nothing was started
                raise
            click.echo(one_line(f"failed: {error}"), err=True)
            return error.report

    def look(self, count: Callable[[], int | None], work: Callable[[Progress], Found]) -> Found:
        """Do what finds something out; where something ends it, so does the command.

        With 130 after Ctrl-C, and 1 where a device failed or a cluster was lost.
        """
        from gpuseg.errors import DeviceError, Interrupted, SchedulerError

        try:
            return self._run(count, work)
        except (Interrupted, DeviceError, SchedulerError) as error:
            if error.report is None:  # nothing was started
                raise
            if not isinstance(error, Interrupted):
                click.echo(one_line(f"failed: {error}"), err=True)
            print_failures(error.report)
            click.echo(one_line(error.report.summary()), err=True)
            raise click.exceptions.Exit(error.report.exit_code) from None

    def _run(self, count: Callable[[], int | None], work: Callable[[Progress], Found]) -> Found:
        from gpuseg.cli.progress import Bar

        visible = sys.stderr.isatty() and not (self.quiet or self.as_json)
        with Bar(count, visible=visible) as bar:
            return work(bar.show)

    def end(
        self, report: Report, tell: Callable[[], None], facts: Mapping[str, Any] | None = None
    ) -> None:
        """Print failures and either what `tell` prints or JSON; the exit code is the report's.

        facts: for JSON besides the report's summary.
        """
        print_failures(report)
        if self.as_json:
            path = str(report.path or "")
            click.echo(json.dumps({**report.as_dict(), "report": path, **(facts or {})}))
        elif not self.quiet:
            tell()
        raise click.exceptions.Exit(report.exit_code)


def files_to_write(src: str, dst: str, flags: Mapping[str, Any]) -> Callable[[], int | None]:
    """Counts the files of a run from SRC to DST."""
    from gpuseg.cli.progress import files_of

    return lambda: files_of(src, pattern=flags["pattern"], shard=flags["shard"], dst=dst)


def files_to_read(*paths: str, flags: Mapping[str, Any]) -> Callable[[], int | None]:
    """Counts the files of a run over these paths."""
    from gpuseg.cli.progress import files_of

    return lambda: files_of(*paths, pattern=flags["pattern"], shard=flags["shard"])


def print_failures(report: Report) -> None:
    """The first files that are wrong, a line each, on stderr."""
    from gpuseg.results import count

    for failure in report.failures:
        status = failure.status
        click.echo(one_line(f"{status} {failure.source}: {failure.message}"), err=True)
    hidden = report.failed - len(report.failures)
    if hidden > 0:
        where = report.path
        if where is None and "report" in click.get_current_context().params:
            where = "--report FILE"
        named = f"; {where} names all" if where is not None else ""
        click.echo(one_line(f"… and {count(hidden, 'more failure')}{named}"), err=True)


def _may_be(dst: str) -> bool:
    """Whether DST is there, as far as one look tells: an archive may not have been finished."""
    from gpuseg import storage
    from gpuseg.archives.braces import has_braces

    return storage.is_url(dst) or has_braces(dst) or os.path.exists(dst)


def print_summary(report: Report, made: str, dst: str) -> None:
    """How a run that writes went, and where its files and its report are. made: what they are."""
    click.echo(one_line(report.summary()))
    if report.files["converted"] + report.files["unchanged"] and _may_be(dst):
        click.echo(f"{made}: {one_line(dst)}")
    if report.device:
        click.echo(f"device: {one_line(report.device)}")
    if report.path is not None:
        click.echo(f"report: {one_line(str(report.path))}")
