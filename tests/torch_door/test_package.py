"""The package: what importing it costs, and what is said without torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.helpers import environment


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    return done.stdout


def test_without_torch_it_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import gpuseg; gpuseg.rgb_to_index\n"
        "try:\n    import gpuseg.torch\n"
        "except ImportError as error:\n    print(error)"
    )
    said = run_python(code)
    assert said.startswith("gpuseg.torch needs torch, which cannot be imported here")
    assert "pip install 'gpuseg[torch]'" in said


@pytest.mark.torch
def test_it_loads_no_torchvision_and_no_numba() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    heavy = ["torchvision", "numba", "cupy", "matplotlib"]
    code = f"import sys, gpuseg.torch; print([m for m in {heavy!r} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


@pytest.mark.torch
def test_every_public_name_is_documented() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    import gpuseg.torch

    for name in gpuseg.torch.__all__:
        assert (getattr(gpuseg.torch, name).__doc__ or "").strip(), name
