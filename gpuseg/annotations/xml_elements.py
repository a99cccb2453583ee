"""An XML file of any size, element by element: the only home of defusedxml."""

from __future__ import annotations
