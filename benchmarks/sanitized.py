"""A pytest plugin (`-p benchmarks.sanitized`) for runs under compute-sanitizer.

CuPy's pool hands out slices of large allocations, rounded up to 512 bytes, so a kernel that
reads past an array would stay inside the pool, unseen. Without the pool each array is an
allocation of its own, whose end the sanitizer knows.
"""

import cupy

cupy.cuda.set_allocator(None)
