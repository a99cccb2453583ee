"""`gpuseg palettes`."""

from __future__ import annotations

import click


@click.command(short_help="List the preset palettes, or show one with its colours.")
def palettes() -> None:
    """List."""
