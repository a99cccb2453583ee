"""JSON element by element: what Python's json finds, wherever the window cuts it."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gpuseg.annotations import json_elements
from gpuseg.annotations.json_elements import Element, elements, value_of
from gpuseg.errors import AnnotationError

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 63), (1 << 64) - 1),  # beyond these `value_of` may give floats
    st.floats(),
    st.text(max_size=9),
    st.sampled_from(["\u00e9", "\u00c3\u00a9", "\U0001f600", '"\\', "\u2028", "\x7f\x80\xff"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
WHOLE = st.one_of(st.lists(VALUES, max_size=5), st.dictionaries(st.text(max_size=5), VALUES))
WINDOWS = st.integers(1, 40)


def read(data: bytes, window: int = 1 << 20, inside: tuple[str, ...] = ()) -> list[Element]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_elements, "WINDOW", window)
        return list(elements(io.BytesIO(data), inside))


def joined(found: list[Element], like: Any) -> Any:
    """The value of the file, put together again. like: it, for lists and objects left empty."""
    if isinstance(like, list):
        return [element.raw for element in found]
    whole: dict[str, Any] = {k: type(v)() for k, v in like.items() if isinstance(v, (list, dict))}
    for element in found:
        if element.listed:
            whole[element.key].append(element.raw)
        elif element.name is not None:
            whole[element.key][element.name] = element.raw
        else:
            whole[element.key] = element.raw
    return whole


def text(value: Any) -> str:
    """So that NaN is equal to itself."""
    return repr(value)


def within_64_bits(value: Any) -> Any:
    """Larger integers as floats, which is what they may be where an element is read by itself."""
    if isinstance(value, dict):
        return {key: within_64_bits(each) for key, each in value.items()}
    if isinstance(value, list):
        return [within_64_bits(each) for each in value]
    is_large = type(value) is int and not -(2**63) <= value < 2**64
    return float(value) if is_large else value


@given(WHOLE, WINDOWS, st.booleans(), st.sampled_from([None, 1]), st.booleans())
@example({"a": [-(2**63) - 1, 2**64]}, 1, True, None, False)
@example({"a": [1.5e300, -2e-7]}, 1, True, None, False)
@example(["\u00e9", "\u00c3\u00a9"], 3, True, None, False)
def test_what_json_finds(
    whole: Any, window: int, ascii_only: bool, indent: int | None, inside: bool
) -> None:
    data = json.dumps(whole, ensure_ascii=ascii_only, indent=indent)
    raw = data.encode("utf-8")
    names = tuple(whole) if inside and isinstance(whole, dict) else ()
    found = read(raw, window, names)
    order = isinstance(whole, dict) and list(whole)
    made = joined(found, whole)
    if order:
        made = {key: made[key] for key in order}
    assert text(made) == text(whole)
    for element in found:  # and each can be read again by itself
        alone = value_of(raw[element.start : element.end])
        assert text(within_64_bits(alone)) == text(within_64_bits(element.raw))


@given(WHOLE, WINDOWS, st.data())
def test_a_file_that_is_broken_anywhere_is_found_to_be(
    whole: Any, window: int, data: st.DataObject
) -> None:
    raw = json.dumps(whole).encode()
    at = data.draw(st.integers(0, len(raw) - 1))
    broken = data.draw(
        st.sampled_from([raw[:at], raw[:at] + b"\x00" + raw[at:], raw + b",", b"}" + raw])
    )
    with pytest.raises(AnnotationError):
        read(broken, window)


@given(st.binary(max_size=60), WINDOWS)
def test_any_bytes_are_json_or_a_fault(data: bytes, window: int) -> None:
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_no_repeats)
    except (ValueError, KeyError):
        value = None
    if isinstance(value, (list, dict)):
        read(data, window)
    else:
        with pytest.raises(AnnotationError):
            read(data, window)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise KeyError("repeated")
    return dict(pairs)


@pytest.mark.parametrize("number", ["1.5", "-1e5", "12e+7", "3E-4", "-0", "1.25e10", "NaN"])
def test_numbers_at_any_cut(number: str) -> None:
    data = f"[7,{number},8]".encode()
    for window in range(1, len(data) + 1):
        assert text(
            [element.raw for element in read(data, window)]
        ) == f"[7, {float(number)}, 8]" or (number == "-0")


def test_the_mark_of_utf_8_is_no_part_of_it() -> None:
    (element,) = read(b'\xef\xbb\xbf{"a": 1}')
    assert (element.key, element.raw, element.start, element.end) == ("a", 1, 9, 10)


def test_key_twice() -> None:
    with pytest.raises(AnnotationError, match="'images' twice"):
        read(b'{"images": [], "images": [1]}')
    (inner,) = read(b'{"a": {"b": 1, "b": 2}}')
    assert inner.raw == {"b": 2}  # as json has it


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "expected an object or a list at byte 0, got the end"),
        (b"7", "expected an object or a list at byte 0"),
        (b'{"a": 1} x', "expected nothing more at byte 9, got 'x'"),
        (b'{"a" 1}', "expected : at byte 5"),
        (b'{"a": [1, 2', "expected , or ] at byte 11, got the end"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "digits"),
        (b'["\xe9t\xe9"]', "no text in UTF-8: .* at byte 2; save it as UTF-8"),
        ('["a"]'.encode("utf-16"), "expected an object or a list at byte 0"),
    ],
)
def test_messages(data: bytes, told: str) -> None:
    with pytest.raises(AnnotationError, match=told):
        read(data, 64)


def test_an_element_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_elements, "LARGEST", 1000)
    assert len(read(b"[" + b'"small",' * 1000 + b"1]", 16)) == 1001
    with pytest.raises(AnnotationError, match="more than 1,000 bytes at byte 1; divide it"):
        read(b'["' + b"x" * 5000 + b'"]', 16)


def test_memory_does_not_follow_the_file() -> None:
    class Repeated(io.RawIOBase):
        """A list of many numbers, made as it is read."""

        left = 12

        def readinto(self, room: Any) -> int:
            if not self.left:
                return 0
            self.left -= 1
            piece = b"1234567," * (len(room) // 8)
            piece = (b"[" + piece[:-1] if self.left == 11 else piece) if self.left else b"1]"
            room[: len(piece)] = piece
            return len(piece)

        def read(self, size: int = -1) -> bytes:
            room = bytearray(size)
            return bytes(room[: self.readinto(room)])

    tracemalloc.start()
    try:
        count = 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_elements, "WINDOW", 1 << 14)
            for _ in elements(Repeated()):
                count += 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count > 20_000
    assert peak < 1 << 17  # bytes, of a file of 196,000
