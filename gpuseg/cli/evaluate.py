"""`gpuseg evaluate`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import IGNORE_INDEX, UNMAPPED, palette_option, reading, take_palette
from gpuseg.cli.running import Output
from gpuseg.options import DEFAULT_BATCH_PIXELS
from gpuseg.text import one_line, shortened

if TYPE_CHECKING:
    from gpuseg.evaluation.result import ClassScore, Evaluation

_NAME = 28
_ROWS = 300
_PAIRS = 20
_MEANS = {
    "miou": "mean IoU",
    "pixel_accuracy": "pixel accuracy",
    "mean_accuracy": "mean accuracy",
    "fwiou": "frequency-weighted IoU",
    "mean_dice": "mean Dice",
    "mean_precision": "mean precision",
}
_SCORES = {"iou": "IoU", "dice": "Dice", "accuracy": "accuracy", "precision": "precision"}
_SAVED = ("table", "matrix", "images", "plots", "page", "over", "overwrite")
_COUNTED = ("pattern", "shard", "pred_suffix", "truth_suffix")


def _theta(ctx: click.Context, param: click.Parameter, value: str | None) -> float | str | None:
    """What --boundary says; what it may be is checked by the options."""
    try:
        return float(value) if value is not None else None
    except ValueError:
        return value


@click.command(short_help="Score predictions by the truth: IoU, Dice, accuracy, confusion.")
@click.argument("pred", type=click.Path())
@click.argument("truth", type=click.Path())
@palette_option("What the indices mean.  [default: the map's, or as a report tells]")
@IGNORE_INDEX
@click.option("--pred-map", metavar="FILE|FROM:TO", help="Other indices for the predictions.")
@click.option("--truth-map", metavar="FILE|FROM:TO", help="Other indices for the truth.")
@UNMAPPED
@click.option(
    "--pred-suffix", metavar="END", default="", help="What names of PRED end in, before .png."
)
@click.option(
    "--truth-suffix", metavar="END", default="", help="What names of TRUTH end in, before .png."
)
@click.option(
    "--boundary",
    metavar="PX|auto",
    callback=_theta,
    help="Score boundaries, which may be PX pixels apart; auto: 0.75 % of the diagonal.",
)
@click.option(
    "--device",
    metavar="cpu|cuda|cuda:N",
    default="cpu",
    show_default=True,
    help="Who counts. To count costs a CPU less than to send the pixels to a GPU does.",
)
@click.option(
    "--batch-pixels",
    type=int,
    default=DEFAULT_BATCH_PIXELS,
    show_default=True,
    help="Pixels that go to a GPU together.",
)
@click.option("--worst", type=int, default=10, show_default=True, help="Pairs to name.")
@click.option("--csv", "table", metavar="FILE", help="Save the table, a row a class.")
@click.option("--matrix", metavar="FILE", help="Save the confusion matrix, CSV.")
@click.option("--images", metavar="FILE", help="Save a table of all pairs, CSV.")
@click.option("--plots", metavar="DIR", help="Draw the matrix and the IoUs; needs matplotlib.")
@click.option("--page", metavar="FILE", help="Make an HTML page.  [extra: report]")
@click.option("--over", metavar="DIR", help="Photographs, for the page.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is no such page.")
@reading
def evaluate(pred: str, truth: str, **flags: Any) -> None:
    """Score the predictions below PRED by the truth of the same names below TRUTH, or two files.

    Either side may be label maps, whose pixel is the index, or colour masks, whose colours the
    palette knows. Pixels whose truth is the ignore index do not count; a prediction that is no
    class is wrong. A truth without a prediction, and the other way round, is exit code 1.
    """
    from gpuseg.verbs.evaluate import count_pairs
    from gpuseg.verbs.evaluate import evaluate as work
    from gpuseg.verbs.evaluation_outputs import Outputs

    output = Output(flags)
    flags["palette"] = take_palette(flags)
    saved = {name: flags.pop(name) for name in _SAVED}
    outputs = Outputs(**saved, report=flags["report"])
    outputs.check()
    chosen = {name: flags[name] for name in _COUNTED}
    found = output.look(
        lambda: count_pairs(pred, truth, **chosen),
        lambda show: work(pred, truth, images=outputs.images, progress=show, **flags),
    )
    paths = outputs.save(found)
    output.end(found.report, lambda: _tell(found, paths), {**found.as_dict(), "saved": paths})


def _tell(found: Evaluation, saved: tuple[str, ...]) -> None:
    click.echo(one_line(found.report.summary()))
    if found.pairs:
        for line in (*_head(found), *_table(found), *_means(found), *_worst(found)):
            click.echo(line)
    for remark in found.remarks:
        click.echo(one_line(f"note: {remark}"), err=True)
    for path in saved:
        click.echo(one_line(f"saved: {path}"))


def _head(found: Evaluation) -> Iterator[str]:
    if found.palette:
        yield one_line(f"palette: {found.palette}")
    yield (
        f"pixels: {found.scores.pixels:,}, and {found.ignored_pixels:,} with the ignore index "
        f"{found.ignore_index} in the truth"
    )
    yield ""


def _table(found: Evaluation) -> Iterator[str]:
    shown = [c for c in found.classes if c.truth or c.predicted]
    hidden, shown = len(shown) - len(shown[:_ROWS]), shown[:_ROWS]
    width = min(_NAME, max((len(_name(c)) for c in shown), default=0))
    names = (*_SCORES, "boundary") if found.boundaries is not None else _SCORES
    scores = "".join(f"{_SCORES.get(name, name):>10}" for name in names)
    yield f"index       {'name':{width}}{scores}  {'truth, px':>16}  {'predicted, px':>16}"
    for c in shown:
        box = click.style("    ", bg=c.rgb) if c.rgb is not None else "    "
        scores = "".join(f"{_per_cent(getattr(c, name)):>10}" for name in names)
        yield f"{c.index:5} {box}  {_name(c):{width}}{scores}  {c.truth:16,}  {c.predicted:16,}"
    if hidden:
        yield f"… and {hidden:,} more; --csv and --json have them all"
    if absent := len(found.classes) - len(shown) - hidden:
        yield f"… and {absent:,} in neither truth nor predictions"
    yield ""


def _means(found: Evaluation) -> Iterator[str]:
    width = max(map(len, _MEANS.values()))
    for name, value in found.scores.means().items():
        yield f"{_MEANS[name]:{width}}  {_per_cent(value):>8}"
    if found.boundaries is not None:
        yield f"{'boundary F, images':{width}}  {_per_cent(found.boundaries.score):>8}"
        yield f"{'boundary F, classes':{width}}  {_per_cent(found.boundaries.class_mean):>8}"


def _worst(found: Evaluation) -> Iterator[str]:
    """The pairs that somebody should look at."""
    wrong = [pair for pair in found.worst if pair.accuracy < 1]
    if not wrong:
        return
    yield "\nworst pairs, by the mean IoU of their classes:"
    for pair in wrong[:_PAIRS]:
        scores = f"{_per_cent(pair.miou):>8}  accuracy {_per_cent(pair.accuracy):>8}"
        yield one_line(f"  {scores}  {pair.name}")
    if len(wrong) > _PAIRS:
        yield f"… and {len(wrong) - _PAIRS:,} more; --images and --json have them all"


def _name(entry: ClassScore) -> str:
    return shortened(one_line(entry.name), _NAME)


def _per_cent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.2f} %"
