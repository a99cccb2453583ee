"""`gpuseg report`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.options import (
    FAIL_FAST,
    JSON,
    MAX_PIXELS,
    PATTERN,
    QUIET,
    SHARD,
    WORKERS,
    palette_option,
    take_palette,
)
from gpuseg.cli.running import Output, files_to_read
from gpuseg.text import one_line


@click.command(short_help="Make one HTML page about a run: numbers, faults, pictures.")
@click.argument("dst", type=click.Path())
@click.option("--out", metavar="FILE", help="The page.  [default: gpuseg-report.html in DST]")
@click.option(
    "--run", metavar="FILE", help="Report of the run.  [default: gpuseg-report*.jsonl in DST]"
)
@click.option("--src", metavar="DIR", help="Folder of the colour masks.  [default: the report's]")
@click.option("--over", metavar="DIR", help="Photographs to lay label maps over.")
@palette_option("What indices mean.  [default: the report's]")
@click.option("--gallery", type=int, default=12, show_default=True, help="Label maps to show.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is no such page.")
@WORKERS
@PATTERN
@SHARD
@MAX_PIXELS
@FAIL_FAST
@QUIET
@JSON
def report(dst: str, **flags: Any) -> None:
    """Make a page about the run that wrote the label maps in DST: one HTML file, no network.

    It shows how the run went, the classes, unknown colours where they sit, what failed and why,
    and some label maps beside their sources.
    """
    from gpuseg.options import ReadOptions
    from gpuseg.verbs.report import Request, write_report

    output = Output(flags)
    request = Request(
        dst, **{name: flags.pop(name) for name in ("out", "run", "src", "over", "gallery")}
    )
    palette, overwrite = take_palette(flags), flags.pop("overwrite")
    written = output.look(
        files_to_read(dst, flags=flags),
        lambda show: write_report(request, palette, overwrite, show, ReadOptions(**flags)),
    )
    facts = {
        "page": str(written.path),
        "bytes": written.size,
        "shown": written.shown,
        "reports": written.reports,
    }

    def tell() -> None:
        click.echo(one_line(written.looked.summary()))
        click.echo(f"page: {one_line(str(written.path))} ({written.size / 1e6:.1f} MB)")

    output.end(written.looked, tell, facts)
