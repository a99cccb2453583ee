"""`gpuseg palettes`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import ON_DUPLICATE
from gpuseg.options import OnDuplicate
from gpuseg.text import printable

if TYPE_CHECKING:
    from gpuseg.palette import Palette


@click.command(short_help="List the preset palettes, or show one with its colours.")
@click.argument("name", required=False, metavar="[NAME|FILE]")
@click.option("--swatch", metavar="FILE.png", help="Draw the palette as a picture.")
@click.option(
    "--save", metavar="FILE", help="Save the palette: .json, .csv, .txt (labelmap) or .gpl."
)
@ON_DUPLICATE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def palettes(
    name: str | None, swatch: str | None, save: str | None, on_duplicate: OnDuplicate, as_json: bool
) -> None:
    """List the preset palettes, or show the palette NAME (a preset or a file).

    Shows every class with its colour, where the table comes from, and what is risky about it:
    colours too near, red and blue swapped, gaps, reserved indices.
    """
    from gpuseg.palettes.load import load_palette
    from gpuseg.palettes.presets import load_preset, preset_names

    if name is None:
        if swatch or save:
            raise click.UsageError("--swatch and --save need a NAME or FILE")
        _list([load_preset(preset) for preset in preset_names()], as_json)
        return
    palette = load_palette(name, on_duplicate=on_duplicate)
    _save(palette, save, swatch)
    if as_json:
        click.echo(json.dumps(_facts(palette)))
    elif not (swatch or save):
        _show(palette)


def _save(palette: Palette, save: str | None, swatch: str | None) -> None:
    """Save a palette and its picture, unless a file of other contents would be replaced."""
    from pathlib import Path

    from gpuseg.palettes.writers import render_palette, save_palette
    from gpuseg.swatch import render_swatch, save_swatch

    if save:
        _check_new(save, render_palette(palette, Path(save).suffix))
    if swatch:
        _check_new(swatch, render_swatch(palette, swatch))
    if save:
        save_palette(palette, save)
        click.echo(f"saved: {printable(save)}", err=True)
    if swatch:
        save_swatch(palette, swatch)
        click.echo(f"saved: {printable(swatch)}", err=True)


def _check_new(path: str, data: bytes) -> None:
    """Refuse to replace a file that holds anything else. Raises OutputError."""
    from pathlib import Path

    from gpuseg.output import check_replaceable

    file = Path(path)
    if not (file.is_file() and file.read_bytes() == data):
        check_replaceable(path, None, "remove it first, or choose another name")


def _list(presets: list[Palette], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_facts(palette) for palette in presets]))
        return
    click.echo("name                   classes  ignore  source")
    for palette in presets:
        ignored = "" if palette.ignore_index is None else str(palette.ignore_index)
        source = palette.source if palette.verified else f"UNVERIFIED: {palette.source}"
        line = f"{palette.name:22} {len(palette):7}  {ignored:>6}  {source}"
        click.echo(printable(line))
    click.echo("\n`gpuseg palettes NAME` shows the classes and colours of one.")


def _show(palette: Palette) -> None:
    from gpuseg.palettes.lint import lint_palette

    head = f"{palette.name}: {len(palette)} colours"
    click.echo(printable(f"{head}, {palette.source}" if palette.source else head))
    if palette.notes:
        click.echo(printable(palette.notes))
    for entry in palette.classes:
        box = click.style("    ", bg=entry.rgb)
        click.echo(f"{entry.index:5}  {box}  {entry.hex}  {printable(entry.name)}")
    for merged in palette.merged:
        own = merged in palette.label_only
        held = f"; label maps may hold it, as {merged.index}" if own else ""
        told = f"merged: {merged.name!r} is read as {merged.kept!r} (one colour){held}"
        click.echo(printable(told))
    findings = lint_palette(palette, palette.least_depth)
    for finding in (f for f in findings if f.code != "merged"):  # each is shown above
        click.echo(printable(f"{finding.severity}: {finding.message}"))


def _facts(palette: Palette) -> dict[str, Any]:
    return {
        "name": palette.name,
        "source": palette.source,
        "verified": palette.verified,
        "notes": palette.notes,
        "ignore_index": palette.ignore_index,
        "classes": [
            {"index": entry.index, "name": entry.name, "colour": entry.hex}
            for entry in palette.classes
        ],
        "merged": [{"index": m.index, "name": m.name, "kept": m.kept} for m in palette.merged],
    }
