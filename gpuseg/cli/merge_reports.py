"""`gpuseg merge-reports`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import JSON, QUIET
from gpuseg.cli.running import Output
from gpuseg.text import one_line

if TYPE_CHECKING:
    from gpuseg.results import Report


@click.command("merge-reports", short_help="Make one report of those of a divided job.")
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--out", metavar="FILE", help="The merged report.  [default: gpuseg-report.jsonl beside them]"
)
@QUIET
@JSON
def merge_reports(reports: tuple[str, ...], out: str | None, **flags: Any) -> None:
    """Make one report of those of shards, each input once.

    REPORT is a report, or a folder of which all gpuseg-report-*-of-*.jsonl are taken: DST. Runs
    of one shard may be several: the last one counts. Shards without a whole report are told, and
    make the exit code 1.
    """
    from gpuseg.verbs.merge_reports import merge_reports as work

    output = Output(flags)
    report = work(reports, out)
    if report.problem and (output.quiet or output.as_json):  # else the summary tells it
        click.echo(one_line(report.problem), err=True)
    output.end(report, lambda: _tell(report))


def _tell(report: Report) -> None:
    click.echo(one_line(report.summary()))
    click.echo(f"report: {one_line(str(report.path))}")
