"""What is to be done for each file: where its label map goes, and whether it is there already."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from typing import Any

from gpuseg.codecs.fingerprint import Fingerprint, read_fingerprint
from gpuseg.discover import Source
from gpuseg.errors import OutputError
from gpuseg.folders import Folders
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.options import ConvertOptions
from gpuseg.palette import Palette

FORMAT_VERSION = 1
"""Raised when the same source and options would give another file: old targets are redone."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Everything that is the same for all files of a run.

    dst: the target folder. plte: palette bytes of the label maps, None at depth 16.
    ignore_index: the one that is written. salt: digest of all that shapes the labels.
    """

    dst: str
    palette: Palette
    options: ConvertOptions
    lookup: Lookup
    plte: bytes | None
    ignore_index: int
    salt: bytes
    folders: Folders = field(repr=False)

    @classmethod
    def create(cls, dst: str, palette: Palette, options: ConvertOptions) -> Job:
        """Check palette against options and build the lookup. Raises PaletteError."""
        ignore_index = palette.ignore_for(options.depth, options.ignore_index)
        parts = (
            FORMAT_VERSION,
            options.unknown,
            options.tolerance,
            ignore_index,
            options.depth,
            options.grey,
        )
        salt = hashlib.blake2b(repr(parts).encode() + palette.digest(), digest_size=16).digest()
        lookup = build_lookup(palette, options)
        plte = palette.plte(ignore_index) if options.depth == 8 else None
        return cls(dst, palette, options, lookup, plte, ignore_index, salt, Folders(dst))

    @property
    def writes_directly(self) -> bool:
        """Whether label maps are written by the direct PNG path, and not by Pillow."""
        return self.options.codec == "auto" and self.plte is not None

    def fingerprint(self, source: Source, unknown: int = 0) -> Fingerprint:
        """What the label map of `source` carries when it is made by this job."""
        state = f"{source.size} {source.mtime_ns} ".encode() + self.salt
        return Fingerprint(hashlib.blake2b(state, digest_size=16).digest(), unknown)

    def up_to_date(self, source: Source, target: str) -> Fingerprint | None:
        """The fingerprint of a target that needs no conversion, None for one that does.

        Raises OutputError for a target that must not be replaced.
        """
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

    def describe(self) -> dict[str, Any]:
        """What the head of the report says of this job."""
        options = {
            name: getattr(self.options, name)
            for name in (
                "unknown",
                "tolerance",
                "depth",
                "codec",
                "device",
                "workers",
                "pattern",
                "grey",
                "verify",
                "resume",
                "max_pixels",
            )
        }
        shard = self.options.shard
        return {
            "palette": self.palette.name,
            "classes": len(self.palette),
            "merged_classes": [f"{m.name} -> {m.kept}" for m in self.palette.merged],
            "options": {
                **options,
                "ignore_index": self.ignore_index,
                "shard": f"{shard.number}/{shard.count}",
            },
            "digest": self.salt.hex(),
        }


def _is_same_file(source: str, target: str) -> bool:
    try:
        return os.path.samefile(source, target)
    except OSError:  # one of them is gone: decoding will tell
        return False
