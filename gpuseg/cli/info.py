"""`gpuseg info`."""

from __future__ import annotations

import json

import click


@click.command(short_help="Show versions, and which devices can be used and why.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(as_json: bool) -> None:
    """Show versions, and which devices can be used and why."""
    from gpuseg.installation import info as describe

    facts = describe()
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"gpuseg {facts['gpuseg']}, Python {facts['python']}, {facts['platform']}")
    click.echo(f"processors: {facts['processors']}")
    packages = [f"{name} {version}" for name, version in facts["packages"].items() if version]
    click.echo(f"packages: {', '.join(packages)}; zlib under Pillow {facts['zlib']}")
    for device in facts["devices"]:
        state = "can be used" if device["usable"] else "cannot be used"
        click.echo(f"{device['name']}: {state}: {device['reason']}")
