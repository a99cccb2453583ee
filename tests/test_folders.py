"""SRC and DST that another process changes meanwhile; `test_bad_places` has the rest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gpuseg.folders import check_target


@pytest.mark.parametrize("question", ["isdir", "exists"])
def test_a_target_that_another_shard_makes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """Shards start together, and each finds no DST, or the one that another has made."""
    dst, real = tmp_path / "dst", getattr(os.path, question)

    def late(path: Any) -> bool:
        found: bool = real(path)
        dst.mkdir(exist_ok=True)
        return found

    monkeypatch.setattr(os.path, question, late)
    check_target(str(dst))
    check_target(str(dst))
