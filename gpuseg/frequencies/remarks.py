"""What is odd in the counts of label maps: sentences that say what it may mean and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from gpuseg.frequencies.counts import TOGETHER, Tally
from gpuseg.label_maps import perhaps_an_object
from gpuseg.palette import MAX_INDEX, Palette

_SHOWN = 8


def remarks_on(tally: Tally, palette: Palette | None) -> Iterator[str]:
    """A sentence for each thing that is odd. palette: what the indices should be, if known."""
    if not tally.images:
        return
    if palette is None:
        yield (
            "no palette is known, so classes have numbers for names; --palette NAME|FILE names them"
        )
        yield from _several_meanings(tally)
        yield from _wide_ignored(tally)
    else:
        yield from _unlisted(tally, palette)
        yield from _other_colours(tally, palette)
        yield from _void(tally, palette)
    yield from _ignored(tally, palette)
    lossy = sum(n for (name, _), n in tally.formats.items() if name == "JPEG")
    if lossy:
        yield (
            f"{lossy:,} label maps are JPEG, which smears indices along borders: do not trust "
            "their counts; make them anew as PNG"
        )
    high = sum(index >= TOGETHER for index in tally.pixels)
    if high:
        yield f"{high:,} indices from {TOGETHER} on are left out of the co-occurrence"


def _unlisted(tally: Tally, palette: Palette) -> Iterator[str]:
    """Indices that are no class: the counts of the others may be right, a loss over it crashes."""
    known = {*palette.label_indices, tally.ignore_index}
    images = tally.images_of()
    rows = [
        f"{index} ({tally.pixels[index]:,} px in {images[index]:,})"
        for index in sorted(set(tally.pixels) - known)
    ]
    if rows:
        yield (
            f"indices that palette {palette.name!r} does not hold, with pixels and label maps: "
            f"{_some(rows)}; if it is the right palette, `gpuseg check` names the files"
        )


def _several_meanings(tally: Tally) -> Iterator[str]:
    rows = []
    for index, colours in sorted(tally.colours().items()):
        if index != tally.ignore_index and len(colours) > 1:
            usual = sorted(colours.items(), key=lambda item: (-item[1], item[0]))[:2]
            told = " and ".join(f"#{colour.hex()} in {files:,}" for colour, files in usual)
            rows.append(f"{index} is {told}" + (" and others" if len(colours) > 2 else ""))
    if rows:
        yield (
            f"files differ in the colour of an index ({_some(rows)}), so it may be several "
            "classes in one; `gpuseg convert` with a palette makes label maps that agree"
        )


def _wide_ignored(tally: Tally) -> Iterator[str]:
    if MAX_INDEX in tally.pixels and tally.ignore_index != MAX_INDEX:
        yield (
            f"index {MAX_INDEX} was counted as a class, and at 16 bits is mostly none; "
            f"--ignore-index {MAX_INDEX} leaves it out of shares and weights"
        )


def _other_colours(tally: Tally, palette: Palette) -> Iterator[str]:
    """Indices that files paint otherwise: the palette may be that of another data set."""
    wanted: dict[int, set[bytes]] = {}
    for entry in palette.label_classes:
        wanted.setdefault(entry.index, set()).add(bytes(entry.rgb))
    rows = []
    for index, colours in sorted(tally.colours().items()):
        others = {c: n for c, n in colours.items() if index in wanted and c not in wanted[index]}
        if others and index != tally.ignore_index:
            colour, _ = min(others.items(), key=lambda item: (-item[1], item[0]))
            files = sum(others.values())
            first = palette.first_by_index()[index]
            rows.append(f"{index} {first.name!r} is {first.hex}, #{colour.hex()} in {files:,}")
    if rows:
        yield (
            f"label maps have other colours than palette {palette.name!r} ({_some(rows)}): see "
            "whether it is theirs, for the names follow from it"
        )


def _void(tally: Tally, palette: Palette) -> Iterator[str]:
    """Classes that by name, palette or colour are none, and share in all weights."""
    rows = [
        f"{index} {entry.name!r}"
        for index, entry in sorted(palette.first_by_index().items())
        if index != tally.ignore_index and index in tally.pixels
        if not palette.is_real_class(index)
    ]
    if rows:
        number = rows[0].split()[0]
        yield (
            f"counted as a class, and by its name or palette none: {_some(rows)}; --ignore-index "
            f"{number} leaves it out of shares and weights"
        )
    rows = [
        f"{gone.index} {gone.name!r} (the colour of {gone.kept!r})"
        for gone in palette.void_by_colour(tally.ignore_index)
        if gone.index != tally.ignore_index and gone.index in tally.pixels
    ]
    if rows:
        yield (
            f"counted as a class, and by its colour none: {_some(rows)}; where it should not "
            'count, let gpuseg remap make "ignore" of it, with --unmapped keep'
        )


def _ignored(tally: Tally, palette: Palette | None) -> Iterator[str]:
    """An ignore index that may be a class: whatever is said of the others would be wrong."""
    index = tally.ignore_index
    if not tally.pixels.get(index):
        return
    if palette is not None and palette.ignore_index is None and palette.is_real_class(index):
        name = palette.first_by_index()[index].name
        yield (
            f"index {index} is {name!r} in palette {palette.name!r} and was taken for the ignore "
            "index; if it is a class, name another with --ignore-index"
        )
    elif set(tally.pixels) <= {0, index}:
        yield perhaps_an_object("label maps", tally.pixels, index)


def _some(rows: list[str]) -> str:
    more = [f"{len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
    return "; ".join([*rows[:_SHOWN], *more])
