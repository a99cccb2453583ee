"""The worst pairs on a page: truth, prediction, and where they differ."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from gpuseg.batch import Labels
from gpuseg.codecs import thumbnails
from gpuseg.codecs.thumbnails import Picture, RGBPixels
from gpuseg.discover import Source
from gpuseg.errors import GpusegError
from gpuseg.evaluation.cells import ImageScore
from gpuseg.evaluation.result import Evaluation
from gpuseg.evaluation.tally import Ranked
from gpuseg.pages.gallery import MAX_LEGEND, Item, Share, View, photograph, views_of
from gpuseg.pages.places import below, of_stem
from gpuseg.pages.scores import Legend, score

WRONG = (204, 16, 32)
"""What a wrong pixel is painted with."""

IGNORED = (20, 20, 24)
"""What a pixel that does not count is painted with."""

_PALE = 5  # a right pixel has a fifth of its colour, the rest is white


def worst_item(found: Evaluation, pair: Ranked, over: str | None, legend: Legend) -> Item:
    """What the page shows of one pair. over: a folder of photographs."""
    line = f"mean IoU {score(pair.miou)}, accuracy {score(pair.accuracy)}; IoU of its classes:"
    path = below(found.truths or os.curdir, pair.name)
    if path is None:
        return Item(pair.name, notes=("The truth is not there any more.",), line=line)
    try:
        truth, prediction = found.sides.read(Source(path, pair.name, goes_to=pair.prediction))
        cells = found.sides.count(truth, prediction)
    except GpusegError as error:
        return Item(pair.name, notes=(_told(error),), line=line)
    height, width = truth.labels.shape
    notes: list[str] = []
    name = pair.name if of_stem(over, pair.name) else pair.prediction
    photo = photograph(over, name, (width, height), found.sides.truth.max_pixels, notes)
    pictures = _Pair(truth.labels, prediction.labels, photo, legend, found.ignore_index)
    classes, more = _worst_classes(cells.score(), legend)
    return Item(pair.name, width, height, pictures.views(), classes, more, tuple(notes), line)


def _told(error: GpusegError) -> str:
    text = str(error)
    about_prediction = text.startswith(("its prediction ", "the prediction "))
    return f"{text[0].upper()}{text[1:]}." if about_prediction else f"The truth {text}."


def _worst_classes(scores: ImageScore, legend: Legend) -> tuple[tuple[Share, ...], int]:
    """The classes of one pair by IoU, the lowest first, and how many more there are."""
    order = sorted(scores.iou, key=lambda index: (scores.iou[index], index))
    shown = order[:MAX_LEGEND]
    shares = tuple(legend.share(index, scores.iou[index]) for index in shown)
    return shares, len(order) - len(shown)


@dataclass(frozen=True, slots=True)
class _Pair:
    """All that pictures are made of. photo: RGB that fits `gallery.LARGE`."""

    truth: Labels
    prediction: Labels
    photo: RGBPixels | None
    legend: Legend
    ignore_index: int

    def views(self) -> tuple[View, ...]:
        return views_of(self.truth.shape, self._pictures)

    def _pictures(self, box: int) -> dict[str, Picture]:
        """By title, no larger than the box."""
        height, width = self.truth.shape
        size = thumbnails.fitted(width, height, box)
        truth = thumbnails.nearest(self.truth, *size)
        prediction = thumbnails.nearest(self.prediction, *size)
        colours = thumbnails.painted(truth, self.legend.table)
        predicted = thumbnails.painted(prediction, self.legend.table)
        pictures = {
            "Truth": thumbnails.flat_picture(colours),
            "Prediction": thumbnails.flat_picture(predicted),
        }
        if self.photo is None:
            errors = 255 - (255 - colours) // _PALE
            pictures["Errors"] = thumbnails.flat_picture(self._marked(errors, truth, prediction))
            return pictures
        photo = thumbnails.averaged(self.photo, *size)
        errors = self._marked(thumbnails.greyed(photo), truth, prediction)
        return {
            "Photograph": thumbnails.photo_picture(photo),
            **pictures,
            "Errors": thumbnails.photo_picture(errors),
        }

    def _marked(self, pixels: RGBPixels, truth: Labels, prediction: Labels) -> RGBPixels:
        """Pixels with the wrong ones, and those that do not count, painted over."""
        ignored = truth == self.ignore_index
        pixels = np.where(ignored[..., None], np.array(IGNORED, np.uint8), pixels)
        wrong = (truth != prediction) & ~ignored
        return np.where(wrong[..., None], np.array(WRONG, np.uint8), pixels)
