"""Shapes to pixels: which pixels a shape covers, by the rules of the tool that it comes from."""
