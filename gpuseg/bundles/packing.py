"""What becomes of one archive, or of the files that are to become one: in order, whole or not."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import IO

from gpuseg import storage
from gpuseg.archives.member import Member, size_of
from gpuseg.archives.naming import Seen
from gpuseg.bundles.ordering import Slot
from gpuseg.codecs.streams import crc32
from gpuseg.discover import Source
from gpuseg.errors import ArchiveError, OutputError
from gpuseg.options import WriteOptions
from gpuseg.palettes.of_run import REPORT
from gpuseg.results import FileResult
from gpuseg.taking import collision, target_name
from gpuseg.targets import Targets
from gpuseg.travelling import quickly_pickled

_BLOCK = 1 << 18

Add = Callable[[FileResult, bytes | None], object]
"""Takes the row of a file, and its line of the report where that is made already."""


@quickly_pickled
@dataclass(frozen=True, slots=True)
class Bundle(Source):
    """An archive, or files of a folder that become one: what is resumed and divided as a whole.

    relative: the name of its row. into: its target, an archive or the folder DST. rows, below:
    what stands before the names of its members in their rows, and of their targets. start, stop:
    which files it is of a folder's listing, which has `size` of them and this digest.
    """

    into: str = ""
    rows: str = ""
    below: str = ""
    start: int = 0
    stop: int = 0
    digest: int = 0


@dataclass(slots=True, eq=False)
class Packing:
    """A bundle on its way to its target, which is a folder.

    targets: of the run. add: takes rows. folds_case: as in Walk. kept: other members that passed
    through. taken: members that have a place. error: why nothing more can be written. is_over:
    the last place had its turn.
    One thread at a time asks for places or has its turn at one.
    """

    bundle: Bundle
    targets: Targets
    add: Add
    folds_case: bool = False
    kept: int = 0
    taken: int = 0
    error: Exception | None = None
    is_over: bool = False
    _names: Seen = field(default_factory=Seen)

    @property
    def options(self) -> WriteOptions:
        """Those of the run."""
        return self.targets.options

    def of_member(self, member: Member) -> Slot:
        """The place of a member of an archive."""
        is_mask = member.part == "mask"
        name = target_name(member.name) if is_mask else member.name
        data = member.data if is_mask and isinstance(member.data, bytes) else b""
        source = Source(
            self.bundle.path,
            self.bundle.rows + member.name,
            len(data),
            member.mtime_ns,
            member.error,
            # archives are packed again with times that are all the same, or none: the bytes tell
            tag=f"{member.mtime_ns} {crc32(data):08x}",
            content=data,
            goes_to=self.bundle.below + name,
        )
        if is_mask:
            return self.of_file(source, name)
        self.taken += 1
        if source.error is None:
            source = replace(source, error=self._why_not(source, name))
        return Slot(
            lambda _result, _line: self._keep(source, name, member.data), size=_held(member)
        )

    def of_file(self, source: Source, name: str) -> Slot:
        """The place of a mask. name: of its label map in the target."""
        self.taken += 1
        if source.error is None and (error := self._why_not(source, name)) is not None:
            source = replace(source, error=error, content=None)
        size, mtime_ns = source.size if source.content else 0, source.mtime_ns

        def then(result: FileResult | None, line: bytes | None) -> None:
            if result is not None:
                self._take(result, line, name, mtime_ns)

        return Slot(then, source, size)

    def end(self, error: Exception | None = None) -> Slot:
        """The place after all others. error: why the bundle was not read to its end."""

        def then(result: FileResult | None, line: bytes | None) -> None:
            self.error = self.error or error
            if self.error is None and not self.taken:
                self.error = ArchiveError(
                    "holds no mask that is taken, so nothing was made of it; name others with "
                    "--pattern"
                )
            self.finish()
            self.is_over = True
            if self.error is not None:
                self.add(FileResult.failure(self.bundle.relative, self.error), None)

        return Slot(then)

    def begin(self) -> bool:
        """Whether there is anything to do; if not it has its row."""
        if self.bundle.error is None:
            return True
        self.add(FileResult.failure(self.bundle.relative, self.bundle.error), None)
        return False

    def finish(self) -> None:
        """Make the target whole, where that is no file's own business."""

    def discard(self) -> None:
        """Leave nothing behind of a target that is not finished."""

    def _why_not(self, source: Source, name: str) -> Exception | None:
        """Why nothing can have this name in the target."""
        if self._names.add(name.casefold() if self.folds_case else name):
            return None
        return collision(source.relative)

    def _take(self, result: FileResult, line: bytes | None, name: str, mtime_ns: int) -> None:
        """Take the result of a mask, whose turn it is."""
        self.add(result, line)

    def _keep(self, source: Source, name: str, data: bytes | IO[bytes]) -> None:
        """Have another member pass through, whose turn it is."""
        try:
            if source.error is not None:
                raise source.error
            if self.error is not None:
                raise self.error
            if not self.options.dry_run:
                self._pass(name, data, source.mtime_ns)
            self.kept += 1
        except Exception as error:  # a member that fails never stops another
            self._failed(source, error)
        finally:
            if not isinstance(data, bytes):
                data.close()

    def _failed(self, source: Source, error: Exception) -> None:
        self.add(FileResult.failure(source.relative, error), None)

    def _pass(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        """Write a member as it is, unless it is there. Raises OutputError."""
        put = self.targets.destination
        target = put.path(self.bundle.below + name)
        if put.is_input(target, self.bundle):
            raise OutputError(f"the target {target} is the archive itself; choose another DST")
        if fnmatch(self.bundle.below + name, f"{REPORT}*.jsonl") and "/" not in name:
            raise OutputError(
                f"the target {target} is where reports of runs to this DST are; rename the member"
            )
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        if put.look(target) is not None:
            if _lies_there(target, file):
                return
            file.seek(0)
            if not self.options.overwrite:
                raise OutputError(
                    f"the target {target} exists and is not the member; remove it, choose another "
                    "DST, or use --overwrite"
                )
        if isinstance(file, io.BytesIO):
            put.write(target, file.getvalue())
        else:  # it is large
            put.copy(target, file)


def _lies_there(target: str, file: IO[bytes]) -> bool:
    """Whether a target holds what a file does. Raises OutputError."""
    try:
        is_url = storage.is_url(target)
        with storage.open_stream(target) if is_url else open(target, "rb") as there:
            block = file.read(_BLOCK)
            while block and there.read(len(block)) == block:
                block = file.read(_BLOCK)
            return not block and not there.read(1)
    except OSError as error:
        raise OutputError(
            f"the target {target} cannot be read: {error.strerror or error}; remove what is in the "
            "way, or choose another DST"
        ) from error


def _held(member: Member) -> int:
    """Bytes that a kept member takes while it waits, in memory or in a temp file."""
    return 0 if isinstance(member.data, bytes) else size_of(member.data)
