"""The fingerprint chunk: what a label map was made from, kept in the PNG itself.

A private ancillary chunk, `gpSG`, of 24 bytes: a 16-byte digest of the source's size and
time and of everything that shapes the labels, then the number of pixels of unknown colour
(big-endian). Resuming needs no database: a target says itself whether it is up to date,
atomically with its pixels and wherever it is moved. The name's letters mean, by the PNG
specification (§5.4): ancillary, private, not safe to copy once the image is edited.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from gpuseg.codecs.chunks import END, SIGNATURE
from gpuseg.codecs.streams import crc32

CHUNK = b"gpSG"

HEAD = 1024
"""First bytes of a file that hold its fingerprint, if it has one."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """digest: 16 bytes. unknown: pixels of unknown colour in the source."""

    digest: bytes
    unknown: int = 0

    def payload(self) -> bytes:
        """The 24 bytes of the chunk."""
        return self.digest + struct.pack(">Q", self.unknown)

    @classmethod
    def parse(cls, payload: bytes) -> Fingerprint | None:
        """What `payload` made, None for anything else."""
        if len(payload) != 24:
            return None
        return cls(payload[:16], int.from_bytes(payload[16:], "big"))


def parse(payload: bytes) -> Fingerprint | None:
    """The fingerprint of a chunk's data, None where its length is wrong."""
    if len(payload) != 24:
        return None
    return Fingerprint(payload[:16], struct.unpack(">Q", payload[16:])[0])


def read_fingerprint(path: str | Path | bytes) -> Fingerprint | None:
    """Fingerprint of a PNG, its path or its bytes, or None if the file has none.

    Where the end is missing the digest is empty, so it equals no other: a label map of ours
    that was damaged and can be made again, like a file of 0 bytes. Raises OSError when the
    file cannot be opened.
    """
    if isinstance(path, bytes):
        return find_fingerprint(path, whole=path.endswith(END))
    with open(path, "rb") as file:
        head = file.read(HEAD)
        file.seek(0, 2)
        file.seek(max(0, file.tell() - len(END)))
        whole = file.read() == END
    return find_fingerprint(head, whole=whole)


def find_fingerprint(head: bytes, *, whole: bool) -> Fingerprint | None:
    """Fingerprint of a PNG whose first `HEAD` bytes are given; see `read_fingerprint`.

    whole: whether its end is there.
    """
    if not head:
        return Fingerprint(b"")
    if not head.startswith(SIGNATURE):
        return None
    at = len(SIGNATURE)
    while at + 8 <= len(head):
        length, name = struct.unpack_from(">I4s", head, at)
        if name == CHUNK and length == 24:
            payload = head[at + 8 : at + 32]
            if head[at + 32 : at + 36] == struct.pack(">I", crc32(CHUNK + payload)):
                digest = payload[:16] if whole else b""
                return Fingerprint(digest, struct.unpack(">Q", payload[16:])[0])
            return None
        at += length + 12
    return None
