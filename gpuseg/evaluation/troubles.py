"""What is wrong with pairs, by kind, in bounded memory: for a page."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpuseg.kinds import Kind, of_kind
from gpuseg.results import FileResult


@dataclass(slots=True)
class Troubles:
    """Pairs that are not in the scores, and warnings on others; `add` takes all results.

    failures: by the kind of the error, or `missing` and `extra`. warnings: by their text.
    """

    failures: dict[str, Kind] = field(default_factory=dict)
    warnings: dict[str, Kind] = field(default_factory=dict)

    def add(self, result: FileResult) -> None:
        """Take one result."""
        if result.is_wrong:
            of_kind(self.failures, result.error or result.status).keep(
                result.source, result.message
            )
        for warning in result.warnings:
            of_kind(self.warnings, warning).keep(result.source, warning)
