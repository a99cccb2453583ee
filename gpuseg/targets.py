"""Where the files of a run go, and whether they are there already."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field

from gpuseg.codecs.fingerprint import Fingerprint, read_fingerprint
from gpuseg.discover import Source
from gpuseg.errors import OutputError
from gpuseg.folders import Folders
from gpuseg.options import WriteOptions
from gpuseg.palette import Palette


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The target folder of a run.

    dst: the folder. salt: 16 bytes, digest of all that shapes the targets but the sources.
    """

    dst: str
    options: WriteOptions
    salt: bytes
    folders: Folders = field(repr=False)

    @classmethod
    def create(
        cls, dst: str, options: WriteOptions, shaped_by: object, *palettes: Palette
    ) -> Targets:
        """shaped_by: what shapes the targets besides palettes; its repr must tell all of it."""
        digest = hashlib.blake2b(repr(shaped_by).encode(), digest_size=16)
        for palette in palettes:
            digest.update(palette.digest())
        return cls(dst, options, digest.digest(), Folders(dst))

    def path(self, source: Source) -> str:
        """Where the target of a file is."""
        return os.path.join(self.dst, source.target)

    def fingerprint(self, source: Source, unknown: int = 0) -> Fingerprint:
        """What the target of `source` carries when it is made by this run."""
        state = f"{source.size} {source.mtime_ns} ".encode() + self.salt
        return Fingerprint(hashlib.blake2b(state, digest_size=16).digest(), unknown)

    def up_to_date(self, source: Source, target: str) -> Fingerprint | None:
        """The fingerprint of a target that needs no conversion, None for one that does.

        Raises OutputError for a target that must not be replaced.
        """
        try:
            os.lstat(target)
        except FileNotFoundError:  # the usual case, at the least cost
            return None
        except OSError:  # told below
            pass
        try:
            regular = stat.S_ISREG(os.stat(target).st_mode)  # a pipe could wait for ever
            found = read_fingerprint(target) if regular else None
        except FileNotFoundError:
            if not os.path.islink(target):
                return None
            raise OutputError(
                f"the target {target} exists and was not written by gpuseg: it is a link to "
                "nowhere; remove it, or choose another DST"
            ) from None
        except OSError as error:
            raise OutputError(
                f"the target {target} cannot be read: {error.strerror}; remove what is in the "
                "way, or choose another DST"
            ) from error
        if not regular:
            raise OutputError(
                f"the target {target} is a folder, a pipe or a device; remove it, or choose "
                "another DST"
            )
        wanted = self.fingerprint(source).digest
        if found is not None and found.digest == wanted and self.options.resume:
            return found
        if _is_same_file(source.path, target):
            raise OutputError(f"the target {target} is the input itself; choose another DST")
        if found is None and not self.options.overwrite:
            raise OutputError(
                f"the target {target} exists and was not written by gpuseg; remove it, choose "
                "another DST, or use --overwrite"
            )
        return None


def _is_same_file(source: str, target: str) -> bool:
    try:
        return os.path.samefile(source, target)
    except OSError:  # one of them is gone: decoding will tell
        return False
