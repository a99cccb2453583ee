"""Codecs: image files to pixels and label maps to image files."""
