"""The command line: parses and prints, no logic. Every verb is a Python function too."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

import click

from gpuseg import __version__
from gpuseg.cli.check import check
from gpuseg.cli.colorize import colorize
from gpuseg.cli.convert import convert
from gpuseg.cli.evaluate import evaluate
from gpuseg.cli.info import info
from gpuseg.cli.inspect import inspect
from gpuseg.cli.merge_reports import merge_reports
from gpuseg.cli.palettes import palettes
from gpuseg.cli.polygonize import polygonize
from gpuseg.cli.rasterize import rasterize
from gpuseg.cli.recolor import recolor
from gpuseg.cli.remap import remap
from gpuseg.cli.repair import repair
from gpuseg.cli.report import report
from gpuseg.cli.scan import scan
from gpuseg.cli.stats import stats
from gpuseg.cli.verify import verify
from gpuseg.errors import GpusegError
from gpuseg.text import printable


class _Refused(click.ClickException):
    """A GpusegError that ended a command before it did anything: exit code 2."""

    exit_code = 2


class _Group(click.Group):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Ctrl-C is 130 wherever it falls (click would make it 1), a full stdout a line and 1."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.filename is not None:  # what is printed has no name
                raise
            with suppress(OSError):
                reason = f"{error.strerror}; make room, or send it elsewhere"
                click.echo(f"Error: what is printed cannot be written: {reason}", err=True)
            with suppress(OSError, ValueError):  # or Python would try once more at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except SystemExit as end:
            if isinstance(end.__context__, click.Abort):
                raise SystemExit(130) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in the order in which they are used, under headings."""
        width = max(map(len, self.commands))
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                rows = [(f"{c.name:{width}}", c.get_short_help_str(100)) for c in commands]
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Turn gpuseg's own exceptions into a line and an exit code."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a name the terminal lacks letters for is no crash
                stream.reconfigure(errors="backslashreplace")
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            ctx.color = False
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if not error.message.startswith("Got unexpected extra"):
                raise
            quote = "put names with braces or * in quotes"  # else the shell makes several
            raise click.UsageError(f"{error.message}; {quote}", error.ctx) from error
        except GpusegError as error:
            raise _Refused(printable(str(error))) from error
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Convert RGB segmentation masks to exact palette-PNG label maps.

    Begin with: gpuseg scan MASKS. It ends with the command to run next.

    Exit codes: 0 all is well, 1 some files are not, 2 wrong usage, 130 interrupted.
    """


SECTIONS = {
    "Colour masks": (scan, inspect, repair),
    "Colour masks to label maps": (convert, merge_reports, verify, check),
    "Annotations to label maps": (rasterize,),
    "Label maps": (stats, report, evaluate, colorize, recolor, remap, polygonize),
    "Palettes, devices": (palettes, info),
}
"""All commands, under the headings of `gpuseg --help`."""

for _commands in SECTIONS.values():
    for _command in _commands:
        main.add_command(_command)
