"""All contenders on one set: what they write is compared, then they are timed in turn."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.common import Contender, in_fresh_folder, interleaved
from benchmarks.conversions import Run, convert, equal_labels, kept
from benchmarks.floor import floor_files, floor_parts
from benchmarks.measured import (
    AUTO,
    FILES,
    MEMORY,
    ONE_FILE,
    TABLE,
    USUAL,
    VERIFY,
    Entry,
    Measured,
)
from benchmarks.samples import MaskSet
from benchmarks.scripts import codec_alone, label_images, run_all, table_script, usual_script

Writer = Callable[..., object]
"""Converts a set into a folder: (target, workers=...)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who runs on a set. scripts: also scripts and the codec alone. usual: even the slowest."""

    workers: Sequence[int]
    devices: Sequence[str]
    codecs: Sequence[str]
    repeats: int
    scripts: bool
    usual: bool

    @property
    def direct(self) -> bool:
        """Whether the direct path runs as its floor does: one worker, no device."""
        return 1 in self.workers and "cpu" in self.devices and "auto" in self.codecs

    def ours(self) -> dict[str, dict[str, Any]]:
        """Names of gpuseg's contenders, and their options."""
        named: dict[str, dict[str, Any]] = {}
        for device in self.devices:
            for codec in self.codecs:
                if device != "cpu" and codec == "pillow":
                    continue  # leaves a device nothing to do
                where = "" if device == "cpu" else f" --device {device}"
                named[f"gpuseg{where} --codec {codec}"] = {"device": device, "codec": codec}
        if self.direct:
            named[VERIFY] = {"device": "cpu", "codec": "auto", "verify": True}
        return named


def measure(masks: MaskSet, plan: Plan, work: Path) -> Measured:
    """Check what all contenders write, then time them in turn."""
    room = work / f"{masks.name}-written"
    convert(masks, room / "expected", codec="pillow")
    labels = label_images(masks, room / "expected")
    writers = _writers(masks, plan, labels)
    checks = _checks(masks, plan, labels, writers, room)
    runs: dict[str, list[Run]] = {}
    contenders: dict[object, Contender] = {}
    for name, write in writers.items():
        for count in plan.workers if name != VERIFY else [1]:
            contenders[Entry(name, count)] = in_fresh_folder(room, partial(write, workers=count))
    for name, options in plan.ours().items() if 1 in plan.workers else ():
        runs[name] = []
        contenders[Entry(name, 1)] = kept(runs[name], masks, room, workers=1, **options)
    floor: dict[str, Contender] = {}
    written = None
    if plan.direct:
        auto = _checked(room, AUTO)
        floor = floor_parts(floor_files(masks, auto) or [], room)
        written = _written(masks, labels, auto)
        runs[ONE_FILE] = []
        contenders[ONE_FILE] = kept(runs[ONE_FILE], _one_file(masks, room), room, workers=1)
    times = interleaved(
        {str(key): run for key, run in [*contenders.items(), *floor.items()]}, plan.repeats
    )
    shutil.rmtree(room)
    return Measured(
        masks,
        times={key: times[str(key)] for key in contenders if isinstance(key, Entry)},
        floor={part: times[part] for part in floor},
        checks=checks,
        runs={name: made[1:] or made for name, made in runs.items()},  # the first warms up
        written=written,
    )


def _writers(masks: MaskSet, plan: Plan, labels: Mapping[str, Image.Image]) -> dict[str, Writer]:
    writers: dict[str, Writer] = {}
    if plan.scripts:
        scripts = {
            TABLE: table_script(masks),
            MEMORY: codec_alone(masks, labels, write=False),
            FILES: codec_alone(masks, labels, write=True),
        }
        if plan.usual:
            scripts[USUAL] = usual_script(masks)
        writers = {name: partial(run_all, masks, script) for name, script in scripts.items()}
    for name, options in plan.ours().items():
        writers[name] = partial(convert, masks, **options)
    return writers


def _checked(room: Path, name: str) -> Path:
    """Where a contender's files lie that are compared."""
    return room / f"check {name}"


def _checks(
    masks: MaskSet,
    plan: Plan,
    labels: Mapping[str, Image.Image],
    writers: Mapping[str, Writer],
    room: Path,
) -> dict[str, bool]:
    """Whether each kind of contender writes the expected label maps."""
    checks = {}
    for name, write in writers.items():
        target = _checked(room, name)
        write(target, workers=max(plan.workers))
        if name != MEMORY:
            checks[name] = equal_labels(masks, labels, target)
    return checks


def _one_file(masks: MaskSet, room: Path) -> MaskSet:
    """The first file of a set: what a run costs that has next to nothing to do."""
    folder = room / "one"
    folder.mkdir()
    shutil.copy(masks.paths()[0], folder)
    return replace(masks, folder=folder)


def _written(masks: MaskSet, labels: Mapping[str, Image.Image], folder: Path) -> tuple[int, int]:
    """Bytes of the label maps in a folder, and of the same by Pillow's default save."""
    ours = theirs = 0
    known: dict[bytes, int] = {}  # files of a set may be copies of each other
    for path, image in labels.items():
        ours += masks.target(path, folder).stat().st_size
        digest = hashlib.blake2b(image.tobytes()).digest()
        if digest not in known:
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            known[digest] = len(buffer.getbuffer())
        theirs += known[digest]
    return ours, theirs
