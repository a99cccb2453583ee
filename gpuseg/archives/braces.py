"""Many archives by one name, as WebDataset writes it: `train-{000000..000099}.tar`, `{a,b}.zip`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from gpuseg import storage
from gpuseg.archives.naming import Seen
from gpuseg.errors import UsageError
from gpuseg.names import Kind, kind_of

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")

MOST = 1_000_000
"""Archives that one name may stand for."""


def has_braces(path: str) -> bool:
    """Whether a name stands for many: one that exists as it is written stands for itself."""
    if not any("," in words or ".." in words for words in _BRACES.findall(path)):
        return False
    return not os.path.lexists(path)


@dataclass(frozen=True, slots=True)
class Braces:
    """The names that one with braces stands for, made as they are asked for.

    text: for instance `s3://bucket/{train,val}-{0000..0099}.tar`; of several braces the last
    changes first. Numbers keep their zeros. Raises UsageError for what stands for no name, for
    too many, or for one twice.
    """

    text: str

    def __post_init__(self) -> None:
        if self.count > MOST:
            raise UsageError(f"{self.text} names {self.count:,} archives, {MOST:,} at most go")
        seen = Seen()
        varying = [
            part for part in _parts(self.text) if isinstance(part, _Numbers) or len(part) > 1
        ]
        is_range = len(varying) == 1 and isinstance(varying[0], _Numbers)
        for name in () if is_range else self:
            if not seen.add(name if storage.is_url(name) else os.path.normpath(name)):
                raise UsageError(f"{self.text} names {name} twice; name each archive once")

    @property
    def count(self) -> int:
        """How many names there are."""
        return prod(p.count if isinstance(p, _Numbers) else len(p) for p in _parts(self.text))

    def __iter__(self) -> Iterator[str]:
        """Every name, in order."""
        return map("".join, _product(_parts(self.text)))


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers from first to last, with zeros before them up to `width` digits."""

    first: int
    last: int
    width: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def __iter__(self) -> Iterator[str]:
        return (f"{number:0{self.width}d}" for number in range(self.first, self.last + 1))


def _parts(text: str) -> list[list[str] | _Numbers]:
    parts: list[list[str] | _Numbers] = []
    at = 0
    for found in _BRACES.finditer(text):
        parts += [[text[at : found.start()]], _words(found[1])]
        at = found.end()
    if set(_BRACES.sub("", text)) & set("{}"):
        raise UsageError(
            f"braces of {text} do not fit together: none may stand in another; write "
            "{000..099} or {a,b}"
        )
    return [*parts, [text[at:]]]


def _words(inside: str) -> list[str] | _Numbers:
    if numbers := _RANGE.fullmatch(inside):
        first, last = int(numbers[1]), int(numbers[2])
        padded = any(word.startswith("0") and len(word) > 1 for word in numbers.groups())
        width = max(map(len, numbers.groups())) if padded else 0
        if first > last:
            raise UsageError(f"{{{inside}}} counts backwards; write the smaller number first")
        return _Numbers(first, last, width)
    if ".." in inside:
        raise UsageError(f"{{{inside}}} is no range of numbers; write for instance {{000..099}}")
    return inside.split(",") if "," in inside else [f"{{{inside}}}"]


def _product(parts: list[list[str] | _Numbers]) -> Iterator[tuple[str, ...]]:
    """As itertools.product, which would hold every number."""
    if not parts:
        yield ()
        return
    for rest in _product(parts[:-1]):
        for word in parts[-1]:
            yield (*rest, word)


def first_of(text: str) -> str:
    """The first name, without a look at the others. Raises UsageError."""
    return "".join(next(iter(part)) for part in _parts(text))


def kind_at(path: str) -> Kind | None:
    """Which kind of archive a path or URL names, by the first where it stands for many."""
    return kind_of(first_of(path) if has_braces(path) else path)


def common_folder(text: str) -> str:
    """The folder, or the URL, that all names lie in; "" for the current one."""
    slashes = ("/", os.sep)
    return text[: max(text.rfind(slash, 0, text.index("{")) for slash in slashes) + 1]


def check_pair(sources: Braces, targets: Braces) -> None:
    """Refuse names that do not pair. Raises UsageError."""
    if sources.count != targets.count:
        raise UsageError(
            f"SRC names {sources.count:,} archives ({sources.text}), DST {targets.count:,} "
            f"({targets.text}); each needs a target of its own"
        )
    seen = Seen()
    place = _Places()
    for name in sources:
        seen.add(place(os.path.realpath(name) if os.path.islink(name) else name))
    for name in targets:
        if not seen.add(place(name)):
            raise UsageError(f"{name} is both SRC and DST; choose another DST")


class _Places:
    """One name for each local place: `./a.tar` is `a.tar`. URLs are as they are."""

    def __init__(self) -> None:
        self._real = lru_cache(maxsize=1024)(os.path.realpath)

    def __call__(self, name: str) -> str:
        if storage.is_url(name):
            return name
        folder, base = os.path.split(name)
        return os.path.join(self._real(folder), os.path.normcase(base))
