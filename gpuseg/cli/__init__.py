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
from gpuseg.cli.info import info
from gpuseg.cli.inspect import inspect
from gpuseg.cli.palettes import palettes
from gpuseg.cli.recolor import recolor
from gpuseg.cli.remap import remap
from gpuseg.cli.repair import repair
from gpuseg.cli.report import report
from gpuseg.cli.scan import scan
from gpuseg.cli.stats import stats
from gpuseg.cli.text import printable
from gpuseg.cli.verify import verify
from gpuseg.errors import GpusegError


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

    def invoke(self, ctx: click.Context) -> Any:
        """Turn gpuseg's own exceptions into a line and an exit code."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a name the terminal lacks letters for is no crash
                stream.reconfigure(errors="backslashreplace")
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            ctx.color = False
        try:
            return super().invoke(ctx)
        except GpusegError as error:
            raise _Refused(printable(str(error))) from error
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Convert RGB segmentation masks to exact palette-PNG label maps.

    Exit codes: 0 all converted, 1 some not, 2 wrong usage, 130 interrupted.
    """


main.add_command(convert)
main.add_command(colorize)
main.add_command(palettes)
main.add_command(recolor)
main.add_command(repair)
main.add_command(report)
main.add_command(stats)
main.add_command(verify)
main.add_command(check)
main.add_command(remap)
main.add_command(inspect)
main.add_command(scan)
main.add_command(info)
