"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click

from gpuseg.errors import UsageError
from gpuseg.options import DEFAULT_MAX_PIXELS, Grey, OnDuplicate, Shard

Command = TypeVar("Command", bound=Callable[..., Any])


def _shard(ctx: click.Context, param: click.Parameter, value: str) -> Shard:
    """What --shard says. Raises UsageError, which says how it is written."""
    return Shard.parse(value)


WORKERS = click.option(
    "--workers", type=int, help="Threads; in long runs processes.  [default: usable processors]"
)
PATTERN = click.option(
    "--pattern", metavar="GLOB", help="File names to take.  [default: image suffixes]"
)
SHARD = click.option(
    "--shard", metavar="K/N", default="1/1", callback=_shard, help="Take part K of N only."
)
MAX_PIXELS = click.option(
    "--max-pixels",
    type=int,
    default=DEFAULT_MAX_PIXELS,
    show_default=True,
    help="Refuse larger images, from their header.",
)
FAIL_FAST = click.option("--fail-fast", is_flag=True, help="Stop at the first file that fails.")
SCHEDULER = click.option(
    "--scheduler",
    metavar="local:N|tcp://HOST:PORT|FILE.json",
    help="Have workers of Dask do it.  [extra: dask]",
)
OVERWRITE = click.option(
    "--overwrite", is_flag=True, help="Replace targets that gpuseg did not write."
)
NO_RESUME = click.option("--no-resume", is_flag=True, help="Do again what is up to date.")
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Decode and check everything, write nothing."
)
KEEP_OTHERS = click.option(
    "--keep-others",
    is_flag=True,
    help="Have other members of an archive pass through unchanged, in their place.",
)
COLUMN = click.option(
    "--column", metavar="NAME", help="Of Parquet: the column of images.  [default: the only one]"
)
QUIET = click.option("--quiet", "-q", is_flag=True, help="Print failures only.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


IGNORE_INDEX = click.option(
    "--ignore-index", type=int, help="Index of 'no class'.  [default: palette's, or 255]"
)
GREY = click.option(
    "--grey",
    type=click.Choice(get_args(Grey)),
    default="auto",
    show_default=True,
    help="Greyscale files: auto refuses what may be finished class indices, colours reads "
    "the values as grey colours.",
)
UNMAPPED = click.option(
    "--unmapped",
    type=click.Choice(["error", "keep", "ignore"]),
    default="error",
    show_default=True,
    help="What to do with indices that the map does not name.",
)
ON_DUPLICATE = click.option(
    "--on-duplicate",
    type=click.Choice(get_args(OnDuplicate)),
    default="error",
    show_default=True,
    help="Which class keeps a colour that the palette file gives to several.",
)


def palette_option(help_text: str = "") -> Callable[[Command], Command]:
    """`--palette`, required unless the text says what stands in for it, and `--on-duplicate`."""
    option = click.option(
        "--palette",
        required=not help_text,
        metavar="NAME|FILE",
        help=help_text or "A preset or a palette file.",
    )
    return lambda command: option(ON_DUPLICATE(command))


def take_palette(flags: dict[str, Any]) -> Any:
    """The Palette that `palette_option` names; both options are taken out of the flags.

    None where none is named and none is required. Raises PaletteError, and UsageError for a
    choice between classes of no palette.
    """
    spec, on_duplicate = flags.pop("palette"), flags.pop("on_duplicate")
    if spec is None:
        if on_duplicate != "error":
            raise UsageError("--on-duplicate belongs to --palette, which names a palette file")
        return None
    from gpuseg.palettes.load import load_palette

    return load_palette(spec, on_duplicate=on_duplicate)


def _report(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--report", metavar="FILE", help=f"JSON Lines, a row a file.  [default: {default}]"
    )


def reading(command: Command) -> Command:
    """The options of verbs that look at files: the fields of ReadOptions, `report`, the output."""
    options = (WORKERS, SCHEDULER, PATTERN, COLUMN, SHARD, MAX_PIXELS, FAIL_FAST)
    return _with(command, (*options, _report("none"), QUIET, JSON))


def writing(command: Command) -> Command:
    """The options of verbs that write files: the fields of WriteOptions, `report`, the output."""
    options = (WORKERS, SCHEDULER, PATTERN, COLUMN, KEEP_OTHERS, SHARD, MAX_PIXELS)
    return _with(command, (*options, *_WAYS))


def drawing(command: Command) -> Command:
    """As `writing`, of a verb that takes no archives and whose files are not images."""
    options = (WORKERS, SCHEDULER, _ANNOTATIONS, SHARD, MAX_PIXELS)
    return _with(command, (*options, *_WAYS))


_ANNOTATIONS = click.option(
    "--pattern",
    metavar="GLOB",
    help="Names to take: of files, or of the images that one file tells of.  "
    "[default: the format's]",
)
_IN_DST = _report("gpuseg-report.jsonl in DST")
_WAYS = (OVERWRITE, NO_RESUME, DRY_RUN, FAIL_FAST, _IN_DST, QUIET, JSON)


def _with(command: Command, options: tuple[Any, ...]) -> Command:
    for option in reversed(options):  # the last decorator's option comes first in --help
        command = option(command)
    return command
