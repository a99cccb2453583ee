"""Annotations to label maps: which files, which class each label is, and what is written."""
