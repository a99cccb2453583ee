"""Tests of `gpuseg.torch`; the name is not `torch`, which they import."""
