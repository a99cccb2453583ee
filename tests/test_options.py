"""Options refuse what cannot be meant, and their keyword types match their fields."""

from __future__ import annotations

from dataclasses import fields

import pytest

from gpuseg.errors import UsageError
from gpuseg.options import (
    ConvertKeywords,
    ConvertOptions,
    IndexKeywords,
    IndexOptions,
    Shard,
    device_numbers,
)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unknown": "zero"}, "unknown must be one of error, ignore, nearest"),
        ({"depth": 12}, "depth must be one of 8, 16"),
        ({"tolerance": 3}, "tolerance belongs to"),
        ({"unknown": "nearest", "tolerance": -1}, "tolerance must be 0 to"),
        ({"unknown": "nearest", "tolerance": float("nan")}, "tolerance must be 0 to"),
        ({"ignore_index": 256}, "ignore_index must be 0 to 255 at depth 8, got 256"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"max_pixels": 0}, "max_pixels must be at least 1"),
        ({"batch_pixels": -1}, "batch_pixels must be at least 1"),
        ({"device": "gpu"}, "device must be auto, cpu, cuda"),
        ({"codec": "libpng"}, "codec must be one of"),
        ({"grey": "indices"}, "grey must be one of"),
        ({"depth": 8.0}, "depth must be a whole number, got 8.0"),
        ({"workers": "2"}, "workers must be a whole number"),
        ({"ignore_index": True}, "ignore_index must be a whole number"),
        ({"unknown": "nearest", "tolerance": "5"}, "tolerance must be a number"),
    ],
)
def test_refuses(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ConvertOptions(**options)


def test_depth_16_takes_larger_indices() -> None:
    assert ConvertOptions(depth=16, ignore_index=65535).ignore_index == 65535


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/", "-1/3", "1/0"])
def test_shard_refuses(text: str) -> None:
    with pytest.raises(UsageError, match="shard must be K/N"):
        Shard.parse(text)


def test_shard_parses() -> None:
    assert Shard.parse("3/8") == Shard(3, 8)


@pytest.mark.parametrize(
    ("keywords", "options"), [(IndexKeywords, IndexOptions), (ConvertKeywords, ConvertOptions)]
)
def test_keywords_are_the_fields(keywords: type, options: type) -> None:
    assert set(keywords.__annotations__) | set(
        IndexKeywords.__annotations__ if keywords is ConvertKeywords else ()
    ) == {field.name for field in fields(options)}


@pytest.mark.parametrize(
    ("device", "numbers"),
    [("auto", (0,)), ("cpu", ()), ("cuda", (0,)), ("cuda:3", (3,)), ("cuda:1,0", (1, 0))],
)
def test_devices_that_are_named(device: str, numbers: tuple[int, ...]) -> None:
    assert ConvertOptions(device=device).device == device
    assert device_numbers(device) == numbers


@pytest.mark.parametrize(
    "device", ["gpu", "cuda:", "cuda:x", "cuda:0,", "cuda:0,0", "cuda:-1", "cuda:1 2", "cuda0", ""]
)
def test_devices_that_are_not(device: str) -> None:
    with pytest.raises(UsageError, match=r"device must be auto, cpu, cuda, .* got"):
        ConvertOptions(device=device)


def test_a_device_needs_the_direct_path() -> None:
    with pytest.raises(UsageError, match="codec pillow leaves a device nothing to do"):
        ConvertOptions(device="cuda", codec="pillow")
    assert ConvertOptions(device="auto", codec="pillow").codec == "pillow"
