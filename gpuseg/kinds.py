"""Rows grouped by kind, in bounded memory: whatever the number of files, a page can hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHOWN_ROWS = 200
"""Rows of a kind that are kept."""

MAX_KINDS = 32
"""Kinds that are told apart."""

OTHERS = "others"


@dataclass(slots=True)
class Kind:
    """Rows of one kind: how many there are, and the first of them as (source, message)."""

    count: int = 0
    rows: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, source: str, message: str) -> None:
        """Count a row, and keep it if it is among the first."""
        self.count += 1
        if len(self.rows) < SHOWN_ROWS:
            self.rows.append((source, message))


def bounded(table: Mapping[str, Any], key: str) -> str:
    """The key, or `others` where the table has no room for it."""
    return key if key in table or len(table) < MAX_KINDS else OTHERS


def of_kind(kinds: dict[str, Kind], name: str) -> Kind:
    """The rows of a kind; those of too many kinds are `others`."""
    return kinds.setdefault(bounded(kinds, name), Kind())
