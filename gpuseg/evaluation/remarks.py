"""What is odd in an evaluation: sentences that say what it may mean and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpuseg.evaluation.scores import Scores
from gpuseg.evaluation.tally import Tally
from gpuseg.evaluation.troubles import Troubles
from gpuseg.label_maps import perhaps_an_object
from gpuseg.palette import Palette
from gpuseg.results import Report, percent
from gpuseg.text import count

_SHOWN = 8


def no_pair(report: Report) -> Iterator[str]:
    """Why a run that is over found no pair at all: one cause, and not a fault of each file."""
    found = report.files
    if report.stopped or found["read"] or found["failed"]:
        return
    if found["missing"] and found["extra"]:
        yield (
            "no truth has a prediction: a pair has the same path below PRED and TRUTH but for the "
            "suffix (.png); where names end differently before it, --pred-suffix and "
            "--truth-suffix say in what"
        )
    elif found["missing"] or found["extra"]:
        side, option = ("PRED", "pred") if found["missing"] else ("TRUTH", "truth")
        yield (
            f"nothing below {side} belongs to any of these: see whether it is the right folder; "
            f"--{option}-suffix, if its names need one, is what they end in before .png"
        )
    elif report.missed:
        yield (
            "neither PRED nor TRUTH holds an image that --pattern, --pred-suffix and "
            "--truth-suffix take; the latter two are what names end in before .png"
        )


def warned(troubles: Troubles) -> Iterator[str]:
    """What there is to know of files that were read all the same."""
    for text, kind in sorted(troubles.warnings.items())[:_SHOWN]:
        yield f"{count(kind.count, 'pair')} with a warning: {text}"


def remarks_on(
    tally: Tally, scores: Scores, palette: Palette | None, outside: Mapping[int, int]
) -> Iterator[str]:
    """A sentence for each thing that is odd. outside: predicted indices that are no class."""
    if not tally.pairs:
        return
    if palette is None:
        yield from _no_palette(tally)
    else:
        yield from _other_colours(tally, palette)
        yield from _void(tally, scores, palette)
        yield from _one_colour(tally, scores, palette)
    if (truths := tally.truths()) == {0, tally.ignore_index}:
        yield perhaps_an_object("truths", truths, tally.ignore_index)
    if scores.predicted_ignored:
        share = percent(scores.predicted_ignored, scores.pixels)
        yield (
            f"{share} of the pixels that count were predicted as the ignore index "
            f"{tally.ignore_index}: each is wrong for the class of its truth"
        )
    if outside and palette is not None:
        rows = [f"{index} ({pixels:,} px)" for index, pixels in list(outside.items())[:_SHOWN]]
        more = f" and {len(outside) - _SHOWN:,} more" if len(outside) > _SHOWN else ""
        yield (
            f"predictions hold indices that palette {palette.name!r} does not: "
            f"{', '.join(rows)}{more}: each pixel is wrong for the class of its truth; if the "
            "network has other indices, translate them with --pred-map"
        )
    if tally.uncounted:
        yield (
            f"{count(tally.uncounted, 'pair')} without a pixel that counts: their truth is the "
            "ignore index all over"
        )
    absent = int(((scores.truth == 0) & (scores.predicted == 0)).sum())
    if absent and palette is not None:
        yield (
            f"{absent:,} of the {len(scores.truth):,} classes are neither in the truth nor in a "
            "prediction: they have no IoU, and no part in means"
        )


def _no_palette(tally: Tally) -> Iterator[str]:
    yield (
        "no palette is known, so classes have numbers for names, and any index is a class; "
        "--palette NAME|FILE names them"
    )
    if tally.ignored_pixels() and max(tally.indices(), default=0) > 255 >= tally.ignore_index:
        yield (
            f"indices above 255 occur, and {tally.ignore_index} was taken for the ignore index; if "
            "it is a class, name another with --ignore-index"
        )


def _other_colours(tally: Tally, palette: Palette) -> Iterator[str]:
    """Label maps that paint classes otherwise: are their indices what the palette says?"""
    named = palette.first_by_index()
    for side, called in enumerate(("truth", "predictions")):
        rows = [
            f"{index} {named[index].name!r} is {named[index].hex}, {tally.colours[side, index]} "
            f"in {files:,}"
            for (which, index), files in sorted(tally.painted.items())
            if which == side
        ]
        if rows:
            more = f"; {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
            yield (
                f"label maps of the {called} have other colours than palette {palette.name!r} "
                f"({'; '.join(rows[:_SHOWN])}{more}): what counts here are their indices; see "
                "whether they are those of the palette, and where the colours are what is meant, "
                "make label maps of them first: gpuseg convert"
            )


def _void(tally: Tally, scores: Scores, palette: Palette) -> Iterator[str]:
    """Classes that by their name, or for the palette, are none, and share in all means."""
    named = palette.first_by_index()
    indices = sorted(set(named) - {tally.ignore_index})
    rows = [
        f"{index} {named[index].name!r}"
        for index, pixels in zip(indices, scores.truth, strict=True)
        if pixels and not palette.is_real_class(index)
    ]
    if rows:
        more = f"; {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
        yield (
            f"counted as a class, and by its name or palette none: {'; '.join(rows[:_SHOWN])}"
            f"{more}; --ignore-index {rows[0].split()[0]} leaves it out of all scores"
        )
    yield from _coloured_as_void(tally, palette)


def _coloured_as_void(tally: Tally, palette: Palette) -> Iterator[str]:
    """Classes of the truth that colour masks paint as none: 'out of roi' in Cityscapes' ids."""
    truths = tally.truths() - {tally.ignore_index}
    rows = [
        f"{gone.index} {gone.name!r} (the colour of {gone.kept!r})"
        for gone in palette.void_by_colour(tally.ignore_index)
        if gone.index in truths
    ]
    if rows:
        more = f"; {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
        yield (
            f"counted as a class, and by its colour none: {'; '.join(rows[:_SHOWN])}{more}; where "
            'it should not count, let --truth-map make "ignore" of it, with --unmapped keep'
        )


def other_classes(predictions: Palette | None, truths: Palette | None) -> tuple[str, ...]:
    """The remark on sides that mean other classes by their indices, as far as both are known."""
    if predictions is None or truths is None or _names(predictions) == _names(truths):
        return ()
    told = (
        f"the indices of predictions are those of palette {predictions.name!r}, by their report or "
        f"map, and those of truths of palette {truths.name!r}, which has other classes; they were "
        "compared as they are, so translate them with --pred-map if the same class has two indices"
    )
    return (told,)


def _names(palette: Palette) -> Mapping[int, str]:
    """The names of the classes that mean something, by index."""
    listed = palette.first_by_index()
    return {index: listed[index].name for index in listed if palette.is_real_class(index)}


def _one_colour(tally: Tally, scores: Scores, palette: Palette) -> Iterator[str]:
    """Classes that are predicted and in no truth, for colour masks cannot hold them."""
    indices = [index for index in palette.label_indices if index != tally.ignore_index]
    counts = zip(scores.truth.tolist(), scores.predicted.tolist(), strict=True)
    only_predicted = {
        index for index, (true, found) in zip(indices, counts, strict=True) if found and not true
    }
    rows = [
        f"{gone.index} {gone.name!r} (the colour of {gone.kept!r})"
        for gone in palette.label_only
        if gone.index in only_predicted
    ]
    if rows:
        more = f"; {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
        yield (
            f"predicted, and nowhere in the truth: {'; '.join(rows[:_SHOWN])}{more}: truths that "
            "were colour masks cannot hold them; if these were, let --pred-map make of each the "
            "class that has its colour, with --unmapped keep"
        )
