"""The benchmark of `rasterize` runs, on tiny inputs. Speed is not judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import rasterize, rasterize_others
from benchmarks.rasterize_sets import annotation_sets
from tests.benchmarks.running import results

DRAWN, LARGE = "drawn-480x360", "drawn-2048x1024"


def test_rasterize(tmp_path: Path) -> None:
    found = results(rasterize.SCRIPT, tmp_path)
    times = {row["what"]: row for row in found[f"Annotations to label maps, one worker: {DRAWN}"]}
    assert times[rasterize.OURS]["best (ms an image)"] > 0
    told = " ".join(times)
    for name, (package, _) in rasterize.WORKS.items():
        version = rasterize_others.version_of(package)
        assert (f"{name} ({version})" if version else f"{package} is not installed") in told
    bars = {row["ratio"]: row for row in found[f"Bars of rasterize: {DRAWN}"]}
    assert bars[f"{rasterize.OURS} / {rasterize.FLOOR}"]["of the best"] > 0
    rows = found[f"Pixels that differ from those of gpuseg's LabelMe: {DRAWN}"]
    differing = {row["what"]: row["pixels that differ"] for row in rows}
    assert differing[rasterize.FLOOR] == 0
    assert differing.get(rasterize.LABELME, 0) == 0
    if memory := found[f"Memory against the annotations of a COCO file: {LARGE}"]:
        assert [row["annotations"] for row in memory] == [120, 240]
        assert [row["images"] for row in memory] == [2, 4]
        assert all(row["peak (MiB)"] > 1 for row in memory)
    stages = found[f"Stages of rasterize, one worker: {DRAWN}, {rasterize.OURS}"]
    assert {row["stage"] for row in stages} >= {"write", "rest: finding, rows, the start"}


def test_the_floor_draws_every_polygon(tmp_path: Path) -> None:
    args = rasterize.SCRIPT.parser().parse_args(["--tiny", "--files", "3"])
    source = next(annotation_sets(args, tmp_path))
    rasterize_others.floor(source, tmp_path)
    made = dict(rasterize_others.label_maps(tmp_path))
    assert made.keys() == source.drawings.keys()
    for stem, labels in made.items():
        assert labels.shape == (360, 480)
        assert set(np.unique(labels)) <= {0, *(i for i, _ in source.drawings[stem].polygons)}
        assert len(np.unique(labels)) > 2


def test_maps_in_the_colours_of_voc_are_read_as_indices(tmp_path: Path) -> None:
    from gpuseg import voc_colormap

    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    (tmp_path / "SegmentationClass").mkdir()
    Image.fromarray(voc_colormap(256)[labels]).save(tmp_path / "SegmentationClass" / "a.png")
    [(stem, found)] = rasterize_others.label_maps(tmp_path)
    assert stem == "a"
    assert np.array_equal(found, labels)
