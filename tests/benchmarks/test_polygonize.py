"""The benchmark of `polygonize` runs, and its judges agree."""

from benchmarks import polygonize
from tests.benchmarks.running import results


def test_polygonize(tmp_path):
    found = results(polygonize.SCRIPT, tmp_path)
    rows = found["Annotations of label maps, one thread"]
    assert [row["set"] for row in rows] == ["blobs-2mpx", "small-480x360"]
    for row in rows:
        assert row["equal"] is True
        assert row["annotations (a map)"] > 1
        assert min(row["polygons"], row["runs"], row["pycocotools"]) > 0
    assert [row["files"] for row in found["Peak memory"]] == [20, 60]
