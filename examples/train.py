"""From colour masks to a trained network, its predictions and their score.

    python -m examples.train
    python -m examples.train --masks MASKS --images PHOTOGRAPHS --palette PALETTE

Converts colour masks to label maps, trains a small network on them with
`CrossEntropyLoss(ignore_index=255, weight=…)`, saves its predictions as label maps while it goes
on, and evaluates those. Of every four masks one is kept for that.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import gpuseg
from examples.crops import RandomCrop
from examples.drawn_images import draw_images
from examples.judge import judge
from examples.network import SmallNetwork
from gpuseg.torch import LabelMapDataset, class_weights

MASKS = Path(__file__).parents[1] / "tests" / "data" / "quintal_rgba"
IGNORED = 255


@dataclass(frozen=True)
class Result:
    """What came of it.

    losses: of each step. evaluation: of the files. judged: the mean IoU that torchmetrics gives
    for the same predictions in memory, None where it is not installed.
    """

    losses: list[float]
    evaluation: gpuseg.Evaluation
    judged: float | None


def main(arguments: Sequence[str] | None = None) -> Result:
    """All of it, step by step."""
    asked = _parser().parse_args(arguments)
    torch.manual_seed(0)
    palette = gpuseg.load_palette(asked.palette)
    train_labels, val_labels = convert(asked.masks, asked.work / "labels", palette)
    images = asked.images
    if images is None:
        images = asked.work / "images"
        draw_images([train_labels, val_labels], images)

    network = SmallNetwork(classes=palette.max_index + 1)
    weight = class_weights(train_labels, "enet", num_classes=network.classes)
    print("weights by `gpuseg stats`:", " ".join(f"{each:.3g}" for each in weight.tolist()))
    dataset = LabelMapDataset(
        images, train_labels, transforms=RandomCrop(asked.size), unpaired="skip"
    )
    loss = nn.CrossEntropyLoss(weight=weight, ignore_index=IGNORED)
    losses = train(network, dataset, loss, asked.seconds, asked.steps)

    dataset = LabelMapDataset(images, val_labels, unpaired="skip")
    judged = predict(network, dataset, asked.work / "predictions", palette)
    return Result(losses, evaluate(asked.work, val_labels, judged), judged)


def convert(masks: Path, labels: Path, palette: gpuseg.Palette) -> tuple[Path, Path]:
    """Label maps of three masks of four, and of the fourth: the two folders."""
    files = sorted(path for path in masks.rglob("*") if path.suffix.lower() in (".png", ".bmp"))
    parts = {
        labels / "train": [path for i, path in enumerate(files) if i % 4 != 3],
        labels / "val": files[3::4],
    }
    for folder, paths in parts.items():
        report = gpuseg.convert_files(paths, folder, palette, ignore_index=IGNORED)
        print(f"`gpuseg convert … {folder}`: {report.summary()}")
        if report.exit_code:
            raise SystemExit(f"not all masks could be converted, see {report.path}")
        if len([*folder.rglob("*.png")]) != len(paths):
            raise SystemExit(
                f"{folder} holds label maps of other masks, too: remove {labels.parent}, or choose "
                "another --work"
            )
    return labels / "train", labels / "val"


def train(
    network: SmallNetwork, dataset: Dataset, loss: nn.Module, seconds: float, steps: int
) -> list[float]:
    """Train for so many seconds, or steps if those come first; returns the loss of each step."""
    losses: list[float] = []
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    end = time.monotonic() + seconds
    network.train()
    for images, labels in _endlessly(DataLoader(dataset, batch_size=4, shuffle=True)):
        optimizer.zero_grad()
        value = loss(network(images), labels)
        value.backward()
        optimizer.step()
        losses.append(value.item())
        if len(losses) % 20 == 0:
            last = losses[-20:]
            print(f"step {len(losses)}: loss {sum(last) / len(last):.3f}, mean of 20 steps")
        if len(losses) == steps or time.monotonic() > end:
            return losses
    raise AssertionError  # the batches have no end


def predict(
    network: SmallNetwork, dataset: LabelMapDataset, folder: Path, palette: gpuseg.Palette
) -> float | None:
    """Save what the network makes of each image; returns the mean IoU by torchmetrics."""
    network.eval()
    pairs: list[tuple[Tensor, Tensor]] = []
    with (
        torch.inference_mode(),
        gpuseg.PredictionWriter(folder, palette, ignore_index=IGNORED) as writer,
    ):
        for i, name in enumerate(dataset.names):
            image, labels = dataset[i]
            scores = network(image[None])
            writer.save(scores, [name])
            pairs.append((scores[0].argmax(0), labels))
    print(f"`gpuseg.PredictionWriter`: {writer.report.summary()}")
    return judge(pairs, network.classes, IGNORED)


def evaluate(work: Path, labels: Path, judged: float | None) -> gpuseg.Evaluation:
    """Score the saved predictions, and write two pages about them."""
    predictions = work / "predictions"
    found = gpuseg.evaluate(predictions, labels)
    print(f"`gpuseg evaluate {predictions} {labels}`: {found.report.summary()}")
    print(f"mean IoU {found.miou:.6f}, pixel accuracy {found.scores.pixel_accuracy:.4f}")
    if judged is not None:
        print(f"mean IoU {judged:.6f} by torchmetrics, of the same predictions in memory")
    for path in gpuseg.save_evaluation(found, page=work / "evaluation.html"):
        print(f"open {path}")
    print(f"open {gpuseg.report(predictions)}")
    return found


def _endlessly(batches: DataLoader) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from batches


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Help)
    parser.add_argument("--masks", type=Path, default=MASKS, help="folder of colour masks")
    parser.add_argument("--images", type=Path, help="folder of their photographs; else drawn")
    parser.add_argument("--palette", default=MASKS / "label_colors.txt", help="preset or file")
    parser.add_argument("--work", type=Path, default=Path("build/example"), help="where it goes")
    parser.add_argument("--seconds", type=float, default=60, help="of training")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of training, at most")
    parser.add_argument("--size", type=int, default=160, help="of the crops, a multiple of 4")
    return parser


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


if __name__ == "__main__":
    main()
