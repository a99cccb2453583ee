"""`gpuseg remap`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import IGNORE_INDEX, UNMAPPED, palette_option, take_palette, writing
from gpuseg.cli.running import Output, files_to_write, print_summary
from gpuseg.text import one_line

if TYPE_CHECKING:
    from gpuseg.palettes.mapping import IndexMap


@click.command(short_help="Give label maps other indices: merge, drop, renumber classes.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@click.option("--map", "spec", required=True, metavar="FILE|FROM:TO", help="What becomes what.")
@palette_option("Of the result.  [default: TO, or each file's]")
@UNMAPPED
@IGNORE_INDEX
@writing
def remap(src: str, dst: str, spec: str, **flags: Any) -> None:
    """Give every label map below SRC other indices; the results go to DST.

    --map is a JSON file such as {"7": 0, "255": "ignore"}, a CSV or TSV file of two columns,
    FROM:TO (two presets or palette files whose classes have equal names, for instance
    cityscapes-ids:cityscapes), FROM:contiguous, or reduce-zero-label.
    """
    from gpuseg.palettes.mapping import load_mapping
    from gpuseg.verbs.remap import remap as work

    output = Output(flags)
    flags["palette"] = take_palette(flags)
    mapping = load_mapping(spec)
    report = output.write(
        files_to_write(src, dst, flags),
        lambda show: work(src, dst, mapping, progress=show, **flags),
    )

    def tell() -> None:
        print_summary(report, "label maps", dst)
        if mapping.unmatched:
            names = ", ".join(f"{name} ({index})" for index, name in mapping.unmatched)
            click.echo(one_line(f"ignored, for no class has their name: {names}"))

    output.end(report, tell, _facts(mapping))


def _facts(mapping: IndexMap) -> dict[str, Any]:
    return {
        "mapping": {str(old): "ignore" if new is None else new for old, new in mapping.pairs},
        "unmatched": {str(index): name for index, name in mapping.unmatched},
    }
