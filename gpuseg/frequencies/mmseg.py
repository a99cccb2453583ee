"""What mmsegmentation 1.x is to be told of label maps: a piece of a configuration.

Keys, and what becomes of them, by the sources of mmsegmentation 1.2.2: `BaseSegDataset`
(mmseg/datasets/basesegdataset.py), `LoadAnnotations` (datasets/transforms/loading.py),
`CrossEntropyLoss` (models/losses/cross_entropy_loss.py), `IoUMetric` and `SegDataPreProcessor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpuseg import __version__
from gpuseg.errors import UsageError
from gpuseg.frequencies.weights import Weighting

if TYPE_CHECKING:
    from gpuseg.frequencies.statistics import ClassStats, Stats

_TOP = 255
"""mmsegmentation makes uint8 of what it reads, so larger indices would wrap."""

_STRETCHED = ("PNG, 2-bit", "PNG, 4-bit")
_SHOWN = 8
_DIGITS = 6


def mmseg_config(found: Stats, labels: str, weighting: Weighting = "enet") -> str:
    """A piece of a configuration, Python source in ASCII that ends in a line feed.

    It is for the end of a configuration that inherits by `_base_`, and defines `metainfo`,
    `num_classes`, `ignore_index`, `class_weight` and `train_dataset` on the way. labels: their
    folder, as it is to stand in `data_prefix`.

    `class_weight` are the weights divided by their mean over the counted pixels, so that they do
    not change the scale of the loss, and go with `reduction='none'`: mmsegmentation 1.2.2 looks
    the ignore index up among them where it averages itself, and fails (its issue 3734). Losses of
    pixels are then averaged over all of them, the ignored ones as 0, as it does without weights.

    Raises UsageError where mmsegmentation would misread them: without a palette, with classes
    other than 0 to K - 1, indices outside the palette or above 255, or files that are not PNG.
    """
    classes = [entry for entry in found.classes if entry.is_class]
    weights = found.weights(weighting)[: len(classes)].tolist()
    _check_classes(found, classes, labels)
    _check_files(found)
    mean = sum(w * c.pixels for w, c in zip(weights, classes, strict=True)) / found.pixels
    scaled = [float(f"{weight / mean:.{_DIGITS}g}") for weight in weights]
    return "\n".join((*_facts(found, classes, scaled, weighting), *_uses(labels), ""))


def _facts(
    found: Stats, classes: list[ClassStats], weights: list[float], weighting: Weighting
) -> Iterator[str]:
    yield f"# by gpuseg {__version__}, for mmsegmentation 1.x (its names as in 1.2.2)"
    if any(kind in _STRETCHED for kind in found.formats):
        yield "# some label maps have 2 or 4 bits: mmsegmentation reads those of a palette rightly,"
        yield "# but greyscale stretched; `gpuseg recolor` makes palette PNGs of them"
    yield "metainfo = dict("
    yield "    classes=("
    yield from (f"        {_literal(entry.name)}," for entry in classes)
    yield "    ),"
    yield "    palette=["
    yield from (f"        {list(entry.rgb or ())}," for entry in classes)
    yield "    ],"
    yield ")"
    yield f"num_classes = {len(classes)}"
    yield f"ignore_index = {found.ignore_index}"
    yield f"# {weighting}, of {found.pixels} pixels in {found.images} label maps; their mean is 1"
    yield "class_weight = ["
    yield from (f"    {weight!r}," for weight in weights)
    yield "]"


def _uses(labels: str) -> Iterator[str]:
    prefix = f"dict(img_path='', seg_map_path={_literal(labels)})"
    yield from (
        "",
        "train_dataset = dict(",
        "    type='BaseSegDataset',",
        "    metainfo=metainfo,",
        "    data_root='',",
        "    ann_file='',",
        f"    data_prefix={prefix},  # img_path: the folder of images",
        "    img_suffix='.jpg',",
        "    seg_map_suffix='.png',",
        "    reduce_zero_label=False,",
        "    ignore_index=ignore_index,",
        ")",
        "train_dataloader = dict(dataset=train_dataset)  # the pipeline is that of _base_",
        "model = dict(",
        "    data_preprocessor=dict(seg_pad_val=ignore_index),",
        "    decode_head=dict(  # an auxiliary_head wants the same",
        "        num_classes=num_classes,",
        "        ignore_index=ignore_index,",
        "        # 'none': with 'mean' mmsegmentation 1.2.2 fails at ignored pixels (issue 3734)",
        "        loss_decode=dict(",
        "            type='CrossEntropyLoss', class_weight=class_weight, reduction='none'",
        "        ),",
        "    ),",
        ")",
        "val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'], ignore_index=ignore_index)",
        "test_evaluator = val_evaluator",
    )


def _literal(text: str) -> str:
    """A string of Python in ASCII; without `{{`, in which mmengine would put in its variables."""
    return ascii(text).replace("{{", "{\\x7b")


def _check_classes(found: Stats, classes: list[ClassStats], labels: str) -> None:
    if not found.palette:
        raise UsageError(
            "mmsegmentation wants the names and colours of the classes, and no palette is known; "
            "name it with --palette"
        )
    if not found.pixels:
        raise UsageError(
            f"class weights need pixels, and {found.images} label maps hold none of a class; give "
            "the folder of label maps"
        )
    indices = [entry.index for entry in classes]
    advice = (
        f"renumber them: gpuseg remap {labels} DST --map {found.palette}:contiguous (that palette, "
        "or its file)"
    )
    if indices != list(range(len(indices))):
        raise UsageError(
            "mmsegmentation numbers classes from 0 without gaps, those of palette "
            f"{found.palette!r} are {_listed(indices)}, and the ignore index is "
            f"{found.ignore_index}; {advice}"
        )
    if found.unlisted:
        unlisted = _listed([entry.index for entry in found.unlisted])
        raise UsageError(
            f"label maps hold indices that are neither classes of palette {found.palette!r} nor "
            f"the ignore index {found.ignore_index}: {unlisted}; name their --palette or "
            "--ignore-index"
        )
    largest = max(len(indices) - 1, found.ignore_index)
    if largest > _TOP:
        raise UsageError(
            f"mmsegmentation reads indices 0 to {_TOP}, got {largest}; merge classes, or choose "
            "another ignore index, by gpuseg remap"
        )


def _check_files(found: Stats) -> None:
    other = sorted({kind.partition(",")[0] for kind in found.formats} - {"PNG"})
    if other:
        raise UsageError(
            f"the configuration names PNG (seg_map_suffix), and some label maps are "
            f"{', '.join(other)}; make PNGs of them, for instance by gpuseg remap"
        )


def _listed(indices: list[int]) -> str:
    more = f" … {indices[-1]}" if len(indices) > _SHOWN else ""
    return ", ".join(map(str, indices[:_SHOWN])) + more
