"""`merge_reports` on reports that lie in a storage."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpuseg
from gpuseg import storage
from gpuseg.errors import OutputError, UsageError
from tests.helpers import read_report
from tests.merging.making import row, write_run

pytest.importorskip("fsspec")


def test_reports_in_a_storage(tmp_path: Path) -> None:
    url = f"memory://{tmp_path}/[odd] place"
    for number in (1, 2, 3):
        path = write_run(tmp_path / "r.jsonl", row(f"{number}.png"), shard=f"{number}/3")
        name = f"gpuseg-report-{number}-of-3.jsonl" if number < 3 else "other.jsonl"
        storage.upload(str(path), f"{url}/{name}")
    storage.write(f"{url}/gpuseg-report-1-of-3/deep.jsonl", b"in a folder of its own")
    merged = gpuseg.merge_reports([url, f"{url}/other.jsonl"])
    assert merged.path == f"{url}/gpuseg-report.jsonl"
    (tmp_path / "all.jsonl").write_bytes(storage.read(merged.path))
    assert set(read_report(tmp_path / "all.jsonl").files) == {"1.png", "2.png", "3.png"}
    gpuseg.merge_reports([url, f"{url}/other.jsonl"])
    with pytest.raises(OutputError, match="one of the reports that are merged"):
        gpuseg.merge_reports(url, f"{url}/gpuseg-report-1-of-3.jsonl")
    with pytest.raises(UsageError, match="holds no report of a shard"):
        gpuseg.merge_reports(f"{url}/nothing")
    with pytest.raises(UsageError, match="cannot be read"):
        gpuseg.merge_reports(f"{url}/nothing.jsonl")


def test_a_storage_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: str) -> None:
        raise OSError(13, "Permission denied")

    path = write_run(tmp_path / "r.jsonl", row("a"))
    monkeypatch.setattr(storage, "beginning_with", refuse)
    with pytest.raises(UsageError, match="cannot be listed: Permission denied; mend that"):
        gpuseg.merge_reports("memory://bucket/dst")
    monkeypatch.setattr(storage, "upload", refuse)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        gpuseg.merge_reports(path, "memory://bucket/all.jsonl")
    monkeypatch.setattr(storage, "info", refuse)
    with pytest.raises(OutputError, match="cannot be looked at: Permission denied"):
        gpuseg.merge_reports(path, "memory://bucket/all.jsonl")
