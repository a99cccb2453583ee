"""Runs between archives, or from a folder into one: bundles, and their members in order."""
