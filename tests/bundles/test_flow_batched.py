"""Archives through the flow for devices, which holds back what it has drawn."""

from __future__ import annotations

from pathlib import Path

from gpuseg.batched import BatchedFlow
from gpuseg.bundles.flow import ArchivedFlow
from gpuseg.bundles.pairing import pair
from gpuseg.discover import Source
from gpuseg.options import ConvertOptions
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult
from tests.archives.dumps import check_labels, expected, masks, pack, unpack
from tests.batched_runs import SpyDevice
from tests.making import PALETTE


def test_members_in_batches(tmp_path: Path) -> None:
    files = masks(300)
    src, dst = pack(tmp_path / "in.tar", {**files, "x.json": b"{}"}), f"{tmp_path}/out.tar"
    options = ConvertOptions(workers=3, batch_pixels=3000, keep_others=True)
    bundles = pair(src, dst, options)
    assert bundles is not None
    job = Job.create(dst, PALETTE, options)
    rows: list[FileResult] = []
    device, outer = SpyDevice(), Feed[Source](bundles)
    flow = ArchivedFlow(
        outer,
        bundles,
        job.targets,
        lambda row, line=None: rows.append(row),
        lambda feed, add: BatchedFlow(feed, job, add, device, lambda text: None),
        None,
    )
    run_threads(flow.work, flow.threads, outer.close, lambda: None)
    assert [row.source for row in rows] == list(files)
    assert {row.status for row in rows} == {"converted"}
    assert len(device.batches) > 10
    assert "1 other member kept" in flow.remark
    found = unpack(tmp_path / "out.tar")
    assert found.pop("x.json") == b"{}"
    assert list(found) == list(expected(files))
    check_labels(found, expected(files))
