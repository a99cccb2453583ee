"""The files in archives, for verbs that look at them and write none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gpuseg.archives.braces import Braces, common_folder, has_braces
from gpuseg.archives.member import Choice
from gpuseg.archives.naming import base_name
from gpuseg.archives.opening import members, open_bytes
from gpuseg.archives.watch import Watch
from gpuseg.discover import Listed, Source
from gpuseg.errors import GpusegError


@dataclass(slots=True)
class Members:
    """The members of an archive, or of many by braces; the counterpart of `discover.Walk`.

    root: path or URL. pattern, left_alone: as in Walk. max_bytes, column: as in `Choice`.
    """

    root: str
    pattern: str | None
    max_bytes: int
    column: str | None = None
    left_alone: Counter[str] = field(default_factory=Counter)
    _watch: Watch = field(default_factory=Watch)
    _to_come: int = 0

    @property
    def folder(self) -> str:
        """What the relative paths are relative to."""
        return self.root

    @property
    def roots(self) -> Sequence[str]:
        """None: the files come with their bytes."""
        return ()

    def __iter__(self) -> Iterator[Source]:
        """Every member; unusable ones carry an error, and so does an archive that is damaged."""
        several = has_braces(self.root)
        self._to_come = Braces(self.root).count if several else 1
        for path in Braces(self.root) if several else (self.root,):
            self._to_come -= 1
            archive = next(iter(Listed([path])))
            name = path[len(common_folder(self.root)) :] if several else base_name(path)
            error = archive.error
            try:
                if error is None:
                    yield from self._members(archive, f"{name}/" if several else "")
            except GpusegError as found:
                error = found
            if error is not None:
                yield Source(path, name, error=error)

    def holds_more(self, count: int) -> bool:
        """Whether so many members seem to be left, as far as what was read tells."""
        left, each = self._watch.left()
        return left + each * self._to_come >= count

    def _members(self, archive: Source, before: str) -> Iterator[Source]:
        choice = Choice(
            self.max_bytes, self.pattern, column=self.column, left_alone=self.left_alone
        )
        with open_bytes(archive.path) as stream:
            found = members(archive.path, stream, choice, archive.mtime_ns)
            for member in self._watch.over(found, stream, archive.size):
                data = member.data if isinstance(member.data, bytes) else b""
                yield Source(
                    archive.path,
                    before + member.name,
                    len(data),
                    member.mtime_ns,
                    member.error,
                    content=data,
                )
