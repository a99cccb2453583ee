"""What formats have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gpuseg
from gpuseg.annotations.format import CHOICES, Format
from gpuseg.annotations.recognising import FORMATS
from gpuseg.errors import UsageError
from tests.making import PALETTE

GIVEN: dict[str, Any] = {
    "size": (4, 3),
    "images": ".",
    "line_width": 3,
    "crowd": "skip",
    "label_key": "class",
    "masks": ".",
    "order": "area",
}


def test_all_choices_are_given() -> None:
    assert tuple(GIVEN) == CHOICES


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_choices_that_change_nothing_are_refused(tmp_path: Path, format: Format) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.json").write_text("{}")
    src = tmp_path / "src" / "a.json" if format.holds_many else tmp_path / "src"
    assert format.leaves_open <= set(CHOICES)
    for name, value in GIVEN.items():
        given: Any = {name: value, "format": format.name}
        if name in format.leaves_open:
            gpuseg.rasterize(src, tmp_path / "dst", PALETTE, **given)
        else:
            told = f"^{name} would change nothing: {format.title} leaves open .*; do without$"
            with pytest.raises(UsageError, match=told):
                gpuseg.rasterize(src, tmp_path / "dst", PALETTE, **given)


def test_all_that_change_nothing_are_told(tmp_path: Path) -> None:
    told = "line_width and masks would change nothing: COCO instances leaves open size, images, c"
    with pytest.raises(UsageError, match=told):
        gpuseg.rasterize(
            tmp_path, tmp_path / "dst", PALETTE, format="coco", line_width=3, masks=str(tmp_path)
        )
