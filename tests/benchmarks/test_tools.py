"""The benchmark of the verbs runs, on tiny inputs. Speed is not judged."""

from __future__ import annotations

from pathlib import Path

from benchmarks import tools
from tests.benchmarks.running import results


def test_tools(tmp_path: Path) -> None:
    found = results(tools.SCRIPT, tmp_path)
    assert len(found) == 4
    assert sum(title.startswith("Bars") for title in found) == 2
    for title, rows in found.items():
        if title.startswith("Bars"):
            bars = {row["ratio"].rpartition(", workers")[0] for row in rows}
            below = {ratio.rpartition(" / ")[2] for ratio in bars}
            assert below == {tools.RECOLOR, tools.DECODE, tools.STATS, tools.INSPECT}
            assert {f"{tools.VERIFY} / {tools.DECODE}", f"{tools.SCAN} / {tools.STATS}"} <= bars
        else:
            assert {row["workers"] for row in rows} == {1, 2}
            assert all(row["best (ms a file)"] > 0 for row in rows)


def test_the_loop_counts_what_stats_counts(tmp_path: Path) -> None:
    masks = next(tools.mask_sets(tools.SCRIPT.parser().parse_args(["--tiny"]), tmp_path))
    labels = tmp_path / "labels"
    tools.convert(masks, labels)
    counted = tools.count_all([str(path) for path in sorted(labels.rglob("*.png"))])
    found = tools.gpuseg.stats(labels)
    assert {c.index: c.pixels for c in found.classes if c.pixels} == {
        index: int(pixels) for index, pixels in enumerate(counted) if pixels
    }
