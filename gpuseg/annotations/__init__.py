"""Annotations: what tools write of the shapes that people drew, each format read to a Picture."""
