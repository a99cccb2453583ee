"""Text for a terminal."""

from __future__ import annotations

from gpuseg.text import one_line, printable

__all__ = ["one_line", "printable"]
