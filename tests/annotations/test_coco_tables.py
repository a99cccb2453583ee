"""What COCO's files have in common."""

from __future__ import annotations

from typing import Any

import pytest

from gpuseg.annotations.coco_tables import key_of


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (5, 5),
        (5.0, 5),
        ("5", 5),
        ("0", 0),
        ("05", "05"),
        ("-5", "-5"),
        ("x", "x"),
        ("", ""),
        ("9" * 5000, "9" * 5000),
        ("\u0665", "\u0665"),  # a digit, of another script
        (True, None),
        (None, None),
        ([5], None),
    ],
)
def test_ids(value: Any, key: Any) -> None:
    assert key_of(value) == key
