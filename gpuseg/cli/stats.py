"""`gpuseg stats`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import IGNORE_INDEX, palette_option, reading, take_palette
from gpuseg.cli.running import Output, files_to_read
from gpuseg.text import one_line

if TYPE_CHECKING:
    from gpuseg.frequencies.statistics import ClassStats, Stats

_NAME = 28
_ROWS = 300
_NAMED = 8


@click.command(short_help="Count the classes of label maps; class weights and plots.")
@click.argument("dst", type=click.Path())
@palette_option("What the indices mean.  [default: as a report tells]")
@IGNORE_INDEX
@click.option("--csv", "table", metavar="FILE", help="Save the table, a row a class.")
@click.option("--plots", metavar="DIR", help="Draw SVGs; needs matplotlib.")
@click.option(
    "--mmseg", is_flag=True, help="Print nothing but a piece of a configuration of mmsegmentation."
)
@reading
def stats(dst: str, table: str | None, plots: str | None, mmseg: bool, **flags: Any) -> None:
    """Count how often each class occurs in the label maps below DST, or in the one that DST is.

    Pixels, label maps, what occurs together, sizes and formats, and class weights for a loss by
    three formulas: inverse frequency, median frequency balancing, and that of ENet.
    """
    from gpuseg.verbs.stats import check_folder, check_outputs, save_csv, save_plots
    from gpuseg.verbs.stats import stats as work

    output = Output(flags)
    flags["palette"] = take_palette(flags)
    check_outputs(table, plots)
    if mmseg:
        check_folder(dst)
    found = output.look(
        files_to_read(dst, flags=flags), lambda show: work(dst, progress=show, **flags)
    )
    saved: list[str] = []
    if table is not None:
        save_csv(found, table)
        saved.append(table)
    if plots is not None:
        saved.extend(save_plots(found, plots))
    facts, tell = {**found.as_dict(), "saved": saved}, _tell
    if mmseg:
        facts["mmseg"], tell = found.as_mmseg(dst), _tell_besides
        if not output.as_json:
            click.echo(facts["mmseg"], nl=False)
    output.end(found.report, lambda: tell(found, saved), facts)


def _tell_besides(found: Stats, saved: list[str]) -> None:
    """What else there is to say where stdout is a file of Python."""
    click.echo(one_line(found.report.summary()), err=True)
    for line in (*(f"note: {r}" for r in found.remarks), *(f"saved: {p}" for p in saved)):
        click.echo(one_line(line), err=True)


def _tell(found: Stats, saved: list[str]) -> None:
    click.echo(one_line(found.report.summary()))
    if found.images:
        for line in (*_head(found), *_table(found), *_rare(found)):
            click.echo(line)
    for remark in found.remarks:
        click.echo(one_line(f"note: {remark}"), err=True)
    for path in saved:
        click.echo(one_line(f"saved: {path}"))


def _head(found: Stats) -> Iterator[str]:
    sizes = [f"{w} x {h} ({n:,})" for (w, h), n in found.sizes.most_common(4)]
    others = found.images - sum(n for _, n in found.sizes.most_common(4))
    more = [f"other sizes ({others:,})"] if others else []
    yield f"sizes: {', '.join([*sizes, *more])}"
    yield one_line(f"formats: {', '.join(f'{f} ({n:,})' for f, n in found.formats.most_common())}")
    if found.palette:
        yield one_line(f"palette: {found.palette}")
    yield (
        f"pixels: {found.pixels:,}, and {found.ignored_pixels:,} with the ignore index "
        f"{found.ignore_index}"
    )
    yield ""


def _table(found: Stats) -> Iterator[str]:
    from gpuseg.frequencies.weights import WEIGHTINGS

    shown = found.classes[:_ROWS]
    width = min(_NAME, max((len(_name(c)) for c in shown), default=0))
    images = f"{'label maps':>10}"
    head = "".join(f"{weighting:>10}" for weighting in WEIGHTINGS)
    yield f"{'':{13 + width}}{'':33}{'':12}{'weights':>{len(head) - 1}}"
    yield f"index       {'name':{width}}  {'pixels':>16}  {'share':>8}  {images}{head}"
    for c in shown:
        box = click.style("    ", bg=c.rgb) if c.rgb is not None else "    "
        share = f"{100 * c.share:.3f} %" if not c.ignored else ""
        weights = "".join(f"{c.weights[w]:10.4g}" if c.is_class else f"{'':10}" for w in WEIGHTINGS)
        yield (
            f"{c.index:5} {box}  {_name(c):{width}}  {c.pixels:16,}  {share:>8}  {c.images:10,}"
            f"{weights}"
        ).rstrip()
    if len(found.classes) > _ROWS:
        yield f"… and {len(found.classes) - _ROWS:,} more; --csv and --json have them all"


def _rare(found: Stats) -> Iterator[str]:
    """The classes that a loss without weights hardly sees."""
    if found.rare:
        told = [f"{_name(c)} ({100 * c.share:.2g} %)" for c in found.rare]
        yield f"\nrare, with less than a tenth of an equal share of the pixels: {_some(told)}"
    if found.missing:
        yield f"\nnever seen, so of weight 0: {_some([_name(c) for c in found.missing])}"


def _some(names: list[str]) -> str:
    more = [f"{len(names) - _NAMED:,} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


def _name(entry: ClassStats) -> str:
    name = entry.name or "not in the palette"
    if entry.ignored:
        name = f"{entry.name} (ignored)" if entry.name else "ignored"
    text = one_line(name)
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"
