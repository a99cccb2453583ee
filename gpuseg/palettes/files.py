"""Files written in one step: a reader sees the old file or the whole new one."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from gpuseg.errors import OutputError


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path`, through a temporary file in the same folder.

    Replaces an existing file. Raises OutputError.
    """
    # 48 random bits and mode x: two writers never share a temporary file
    temporary = path.parent / f".gpuseg-{secrets.token_hex(6)}.tmp"
    try:
        try:
            with temporary.open("xb") as file:
                file.write(data)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as broken:  # ValueError: a null byte in the path
        raise OutputError(f"{path} cannot be written: {broken}") from broken
