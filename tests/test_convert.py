"""The public functions: what they refuse before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpuseg.convert import convert_files
from gpuseg.errors import UsageError
from tests.making import PALETTE, save_mask


@pytest.mark.parametrize("kind", [str, Path])
def test_one_path_is_no_list_of_paths(tmp_path: Path, kind: type) -> None:
    path = kind(save_mask(tmp_path / "a.png"))
    with pytest.raises(UsageError, match="got one path; pass \\["):
        convert_files(path, tmp_path / "dst", PALETTE)
    assert not (tmp_path / "dst").exists()
