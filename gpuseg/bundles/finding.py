"""Archives, or folders that become archives: which there are, where each goes, what is in it."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

from gpuseg.archives.braces import Braces, common_folder, has_braces
from gpuseg.archives.member import Choice
from gpuseg.archives.naming import base_name
from gpuseg.archives.opening import members, open_bytes, writer
from gpuseg.archives.watch import Watch
from gpuseg.bundles.ordering import Slot
from gpuseg.bundles.packing import Add, Bundle, Packing
from gpuseg.bundles.packing_archive import PackingArchive
from gpuseg.bundles.parts import Listing, Parts
from gpuseg.discover import Listed
from gpuseg.errors import GpusegError
from gpuseg.names import without_suffix
from gpuseg.options import WriteOptions, most_bytes
from gpuseg.targets import Targets


@dataclass(slots=True)
class Bundles:
    """Those of a run from SRC to DST; iterating finds them, each with its target.

    from_archives, into_archives: whether SRC and DST are; else it is a folder.
    left_alone, folds_case: as in Walk.
    """

    src: str
    dst: str
    options: WriteOptions
    from_archives: bool
    into_archives: bool
    left_alone: Counter[str] = field(default_factory=Counter)
    folds_case: bool = False
    _parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        self._parts = Parts(self.src, self.options.pattern, self.left_alone)

    @property
    def folder(self) -> str:
        """What SRC is, for the head of the report."""
        return self.src

    @property
    def roots(self) -> Sequence[str]:
        """What workers must reach: members come to them with their bytes."""
        return () if self.from_archives else (self.src,)

    def __iter__(self) -> Iterator[Bundle]:
        """Every bundle, in order."""
        return self._archives() if self.from_archives else self._stretches()

    def _archives(self) -> Iterator[Bundle]:
        several = has_braces(self.src)
        targets = _names(self.dst) if self.into_archives else itertools.repeat(self.dst)
        for path, into in zip(_names(self.src), targets, strict=self.into_archives):
            found = next(iter(Listed([path])))
            name = below(self.src, path)
            target = below(self.dst, into) if self.into_archives else without_suffix(name)
            yield Bundle(
                path,
                name,
                found.size,
                found.mtime_ns,
                found.error,
                found.tag,
                goes_to=target,
                into=into,
                rows=f"{name}/" if several else "",
                below=f"{target}/" if several else "",
            )

    def _stretches(self) -> Iterator[Bundle]:
        several = has_braces(self.dst)
        count = Braces(self.dst).count if several else 1
        counted = self._parts.count()
        for i, into in enumerate(_names(self.dst)):
            name = below(self.dst, into)
            start, stop = counted.files * i // count, counted.files * (i + 1) // count
            yield Bundle(
                self.src,
                name,
                counted.files,
                tag=f"{counted.digest:032x} {i}/{count}",
                goes_to=name,
                into=into,
                below=f"{name}/" if several else "",
                start=start,
                stop=stop,
                digest=counted.digest,
            )

    def slots(
        self, bundle: Bundle, targets: Targets, add: Add, watch: Watch | None = None
    ) -> tuple[Packing, Iterator[Slot]]:
        """A bundle on its way, and the places of its members; none if it need not be made."""
        packing = self._packing(bundle, targets, add)
        if self.from_archives:
            return packing, _all(packing, self._members(bundle, packing, watch or Watch()))
        return packing, _all(packing, self._files(bundle, packing))

    def _packing(self, bundle: Bundle, targets: Targets, add: Add) -> Packing:
        if not self.into_archives:
            return Packing(bundle, targets, add, self.folds_case)
        choice = f"{self.options.pattern!r} {self.options.keep_others} {self.options.column!r}"
        state = f"{bundle.state} {choice} ".encode("utf-8", "surrogatepass") + targets.salt
        digest = hashlib.blake2b(state, digest_size=16).digest()
        like = bundle.path if self.from_archives else None
        make = partial(writer, bundle.into, like, self._choice())
        return PackingArchive(bundle, targets, add, digest=digest, make_writer=make)

    def _choice(self) -> Choice:
        o = self.options
        return Choice(most_bytes(o.max_pixels), o.pattern, o.keep_others, o.column, self.left_alone)

    def _members(self, bundle: Bundle, packing: Packing, watch: Watch) -> Generator[Slot]:
        with open_bytes(bundle.path) as stream:
            found = members(bundle.path, stream, self._choice(), bundle.mtime_ns)
            for member in watch.over(found, stream, bundle.size):
                yield packing.of_member(member)

    def _files(self, bundle: Bundle, packing: Packing) -> Generator[Slot]:
        counted = Listing(bundle.size, bundle.digest)
        for source in self._parts.files(bundle.start, bundle.stop, counted):
            name = source.target
            yield packing.of_file(replace(source, goes_to=bundle.below + name), name)


def _all(packing: Packing, inside: Generator[Slot]) -> Iterator[Slot]:
    """The places of a bundle, the end included; none after what cannot be written."""
    if not packing.begin():
        packing.is_over = True
        return
    error: Exception | None = None
    try:
        with closing(inside):
            for slot in inside:
                yield slot
                if packing.error is not None:
                    break
    except GpusegError as found:
        error = found
    yield packing.end(error)


def _names(path: str) -> Iterator[str]:
    return iter(Braces(path)) if has_braces(path) else iter((path,))


def below(text: str, path: str) -> str:
    """A name that `text` stands for, without the folder that all of them lie in."""
    if not has_braces(text):
        return base_name(path)
    return path[len(common_folder(text)) :].replace(os.sep, "/")
