"""Kernels: pixels and a table in, labels out. They know no files, palettes, policies or shapes.

`reference` (plain NumPy) is the specification; `cpu` (numba) and `cuda` (CuPy) do the
same work faster; `lut` makes the table they read; `backend` chooses between them.
"""
