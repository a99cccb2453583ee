"""Saving what a model predicts: what was given, as labels; threads that write it meanwhile."""
