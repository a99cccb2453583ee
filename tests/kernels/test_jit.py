"""The checks that NUMBA_BOUNDSCHECK=1 adds to what kernels read and write."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from gpuseg.kernels import jit

CODE = """
import numpy as np
from gpuseg.kernels.jit import U64, njit
from gpuseg.kernels.vectors import load_word, store_word

@njit
def load(memory, at):
    return load_word(memory, at)

@njit
def store(memory, at):
    store_word(memory, at, U64(5))

@njit
def later(memory):  # the second run would find nothing to complain of
    memory[0] += 1
    if memory[0] == 1:
        return memory[memory.size]
    return 0

def raises(kernel, *arguments):
    try:
        kernel(*arguments)
    except IndexError:
        return True
    return False

memory = np.zeros(16, np.uint8)
for kernel in (load, store):
    for at in (0, 8):
        assert not raises(kernel, memory, U64(at)), (kernel, at)
    for at in (9, 15, 16, 2**64 - 1, 2**64 - 8):
        assert raises(kernel, memory, U64(at)), (kernel, at)
    assert raises(kernel, memory[:5], U64(0)), kernel
assert raises(later, np.zeros(16, np.uint8))
"""


@pytest.mark.slow
def test_words_outside_their_memory_are_found(tmp_path: Path) -> None:
    variables = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", CODE], env=variables, check=True)


WARM = """
import numpy as np
from gpuseg.kernels import scanlines

data = np.zeros(41, np.uint8)
table = np.zeros(256, np.uint16)
table.flags.writeable = False
labels = np.zeros(40 + scanlines.MARGIN, np.uint8)
scanlines.index_scanlines(data, 0, (40, 1), scanlines.row_buffer(40, 1), table, labels)
"""

CHECKED = """
import numpy as np
from gpuseg.kernels import scanlines

data = np.zeros(82, np.uint8)
data[41] = 1  # a run of 40 pixels
row = scanlines.row_buffer(40, 1)
table = np.zeros(256, np.uint16)
table.flags.writeable = False
labels = np.zeros(80, np.uint8)  # without its margin
try:
    scanlines.index_scanlines(data, 0, (40, 1), row, table, labels)
except IndexError:
    print("checked")
"""


@pytest.mark.slow
def test_code_without_checks_is_not_taken_for_code_with(tmp_path: Path) -> None:
    """numba's cache knows no difference, so checked code is never cached."""

    def run(checks: str) -> str:
        variables = os.environ | {"NUMBA_BOUNDSCHECK": checks, "NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", CHECKED if checks == "1" else WARM]
        done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    assert run("0") == ""
    assert any(tmp_path.rglob("*.nbi"))
    assert run("1") == "checked"


def test_what_a_caller_does_wrong_is_no_damaged_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code stays in use, or no later run of this process would start processes."""

    @jit.njit
    def first(memory: Any) -> Any:
        return memory[0]

    monkeypatch.setattr(jit, "_cached", True)
    with pytest.raises(numba.TypingError):
        first(None)
    assert jit.is_cached()
    assert first(np.array([7])) == 7


def age(path: Path, seconds: float) -> Path:
    path.touch()
    os.utime(path, (path.stat().st_atime, time.time() - seconds))
    return path


def test_compiled_code_older_than_a_source_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, cache = tmp_path / "kernels", tmp_path / "cache"
    sources.mkdir()
    cache.mkdir()
    monkeypatch.setattr(jit, "__file__", str(age(sources / "jit.py", 500)))
    age(sources / "rows.py", 100)
    old, new = age(cache / "old.nbi", 200), age(cache / "new.nbi", 50)
    jit._forget_old_code(str(cache))
    assert not old.exists()
    assert new.exists()
    age(sources / "rows.py", -500)  # from another clock
    jit._forget_old_code(str(cache) + os.sep)
    assert new.exists()
