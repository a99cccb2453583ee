"""Palettes as files: presets, readers, writers, lint."""
