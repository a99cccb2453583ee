"""Palettes as files: presets, readers, writers, lint.

presets.py   the tables that come with gpuseg (presets/*.json)
load.py      load_palette: a preset name or a file of any known format -> Palette
readers/     one module a family of formats
writers.py   save_palette: Palette -> file, by suffix
lint.py      what is risky about a palette

Import from the modules: this package loads none of them.
"""
