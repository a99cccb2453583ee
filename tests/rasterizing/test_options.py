"""What rasterize may be asked."""

from __future__ import annotations

from typing import Any

import pytest

from gpuseg.errors import UsageError
from gpuseg.rasterizing.options import RasterizeOptions


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"unknown": "nearest"}, "unknown must be one of error, ignore, got 'nearest'"),
        ({"bad_shapes": "drop"}, "bad_shapes must be one of error, skip"),
        ({"order": "size"}, "order must be one of None, file, reverse, area, z, got 'size'"),
        ({"instances": 16}, "instances must be one of None, 16, palette, got 16"),
        ({"depth": 12}, "depth must be one of 8, 16"),
        ({"depth": 16, "instances": "palette"}, "palette PNGs have 8 bits, got depth 16"),
        ({"border": -1}, "border must be 0 to 255 pixels, got -1"),
        ({"border": 256}, "border must be 0 to 255 pixels, got 256"),
        ({"ignore_index": 256}, "ignore_index must be 0 to 255 at depth 8"),
        ({"ignore_index": -1, "depth": 16}, "ignore_index must be 0 to 65535 at depth 16"),
        ({"size": (0, 5)}, "size must be WIDTHxHEIGHT, both above 0"),
        ({"line_width": 0}, "line_width must be 1 to 1024"),
        ({"line_width": 1025}, "line_width must be 1 to 1024"),
        ({"crowd": "no"}, "crowd must be ignore, class or skip, got 'no'"),
        ({"max_pixels": 0}, "max_pixels"),
        ({"workers": 0}, "workers"),
    ],
)
def test_wrong_options(wrong: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        RasterizeOptions(**wrong)


def test_limits_are_shared_by_reading_and_writing() -> None:
    assert RasterizeOptions(max_pixels=5).max_pixels == 5
    assert RasterizeOptions().max_pixels == 1 << 28
