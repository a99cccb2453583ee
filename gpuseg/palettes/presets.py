"""The palettes that come with gpuseg: presets/*.json, each with its source.

presets/README.md tabulates them and says what was left out and why.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from importlib.resources import files

from gpuseg.errors import PaletteError
from gpuseg.palette import Palette
from gpuseg.palettes.readers.own import read_own
from gpuseg.palettes.readers.records import JsonObject, parse_json

_SUFFIX = ".json"


@lru_cache(maxsize=1)
def preset_names() -> tuple[str, ...]:
    """The names of all presets, sorted."""
    found = files("gpuseg.palettes").joinpath("presets").iterdir()
    return tuple(
        sorted(item.name.removesuffix(_SUFFIX) for item in found if item.name.endswith(_SUFFIX))
    )


@lru_cache(maxsize=8)
def load_preset(name: str) -> Palette:
    """The preset of exactly this name. Raises PaletteError, with names that are close."""
    if name not in preset_names():
        raise unknown_preset(name)
    file = files("gpuseg.palettes").joinpath("presets", name + _SUFFIX)
    value = parse_json(file.read_text("utf-8"), f"preset {name}")
    assert isinstance(value, JsonObject)  # noqa: S101 - our own data; the tests load each
    draft = read_own(value, f"preset {name}")
    return Palette(
        draft.classes,
        name=draft.name,
        ignore_index=draft.ignore_index,
        source=draft.source,
        merged=draft.merged,
        verified=draft.verified,
        notes=draft.notes,
    )


def unknown_preset(name: str) -> PaletteError:
    """The error for a name that is neither a preset nor a file."""
    shown = name if len(name) <= 80 else name[:77] + "…"
    known = preset_names()
    wanted = name[:80].lower().replace("_", "-").replace(" ", "-")
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    close += [k for k in known if k not in close and len(wanted) >= 3 and k.startswith(wanted[:4])]
    hint = f"did you mean {', '.join(close[:5])}? " if close else ""
    return PaletteError(
        f"palette must be a preset name or the path of a file, got {shown!r}, which is neither; "
        f"{hint}`gpuseg palettes` lists the presets"
    )
