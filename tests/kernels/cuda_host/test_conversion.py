"""Real masks converted with the CUDA text as it stands: the same files as by the CPU's kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg.batched import BatchedFlow
from gpuseg.discover import Listed, Source
from gpuseg.options import ConvertOptions
from gpuseg.palettes.load import load_palette
from gpuseg.pipeline import convert_source
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.results import FileResult
from tests.kernels.conftest import ThreadedBuilds
from tests.kernels.cuda_host.played import PlayedDevice

pytestmark = [pytest.mark.cuda, pytest.mark.slow]

DATA = Path(__file__).parents[2] / "data"


def masks(name: str, request: pytest.FixtureRequest) -> tuple[list[Path], str]:
    """Some small masks of a set, and their palette."""
    if name == "quintal":  # RGBA
        folder = DATA / "quintal_rgba"
        return [folder / "datasetQuintal_001_L.png"], str(folder / "label_colors.txt")
    if name == "davis":  # palette files
        return sorted((DATA / "davis_P").glob("b*.png"))[:3], "voc256"
    folder = request.getfixturevalue("shared") / "data" / "camvid12_480x360"  # RGB
    return sorted((folder / "rgb").glob("*.png"))[:4], str(folder / "classes.csv")


@pytest.mark.parametrize("name", ["quintal", "davis", "camvid"])
def test_the_same_bytes_as_by_the_cpu(
    name: str,
    tmp_path: Path,
    threaded_kernels: ThreadedBuilds,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    files, palette = masks(name, request)
    assert files
    sources = list(Listed([str(path) for path in files]))
    options = ConvertOptions(workers=2, unknown="ignore")

    def job(folder: str) -> Job:
        return Job.create(str(tmp_path / folder), load_palette(palette), options)

    by_cpu = [convert_source(source, job("cpu")) for source in sources]
    assert {row.status for row in by_cpu} == {"converted"}
    rows: list[FileResult] = []
    feed: Feed[Source] = Feed(sources)
    device = PlayedDevice(threaded_kernels("plain"), monkeypatch)
    flow = BatchedFlow(feed, job("cuda"), rows.append, device, print)
    run_threads(flow.work, flow.threads, feed.close, lambda: None)
    assert {row.device for row in rows} == {"played"}, flow.remark
    for source in sources:
        written = (tmp_path / "cuda" / source.target).read_bytes()
        assert written == (tmp_path / "cpu" / source.target).read_bytes(), source.relative
