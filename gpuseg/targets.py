"""Where the files of a run go, and whether they are there already."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.destinations import Check, Destination, destination
from gpuseg.discover import Source
from gpuseg.errors import OutputError
from gpuseg.options import WriteOptions
from gpuseg.palette import Palette


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The targets of a run.

    salt: 16 bytes, digest of all that shapes the targets but the sources. destination: where
    they are put.
    """

    options: WriteOptions
    salt: bytes
    destination: Destination = field(repr=False)

    @classmethod
    def create(
        cls, dst: str, options: WriteOptions, shaped_by: object, *palettes: Palette
    ) -> Targets:
        """shaped_by: what shapes the targets besides palettes; its repr must tell all of it."""
        digest = hashlib.blake2b(repr(shaped_by).encode(), digest_size=16)
        for palette in palettes:
            digest.update(palette.digest())
        return cls(options, digest.digest(), destination(dst))

    def path(self, source: Source) -> str:
        """Where the target of a file is."""
        return self.destination.path(source.target)

    def write(self, target: str, data: bytes, check: Check | None = None) -> bytes | None:
        """Put a target there, see `Destination.write`. Raises OutputError."""
        return self.destination.write(target, data, check)

    def fingerprint(self, source: Source, unknown: int = 0) -> Fingerprint:
        """What the target of `source` carries when it is made by this run."""
        state = f"{source.state} ".encode() + self.salt
        return Fingerprint(hashlib.blake2b(state, digest_size=16).digest(), unknown)

    def up_to_date(self, source: Source, target: str) -> Fingerprint | None:
        """The fingerprint of a target that needs no conversion, None for one that does.

        Raises OutputError for a target that must not be replaced.
        """
        found = self.destination.look(target)
        if found is None:
            return None
        mark = found.fingerprint
        wanted = self.fingerprint(source).digest
        if mark is not None and mark.digest == wanted and self.options.resume:
            return mark
        if self.destination.is_input(target, source):
            raise OutputError(f"the target {target} is the input itself; choose another DST")
        if mark is None and not self.options.overwrite:
            raise OutputError(
                f"the target {target} exists and was not written by gpuseg; remove it, choose "
                "another DST, or use --overwrite"
            )
        return None
