"""The package from outside: what importing costs, what is public, what the papers say."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import numpy as np
import pytest

import gpuseg
from gpuseg.cli import main
from gpuseg.kernels.backend import INSTALL
from tests.making import indices, save_mask

ROOT = Path(__file__).parents[1]


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


def test_importing_loads_nothing_heavy() -> None:
    heavy = ["numba", "cupy", "torch", "click", "rich", "PIL", "numpy", "dask", "pyarrow"]
    code = f"import sys, gpuseg; print([m for m in {heavy!r} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_help_loads_nothing_heavy() -> None:
    heavy = ["numba", "cupy", "torch", "rich", "PIL"]
    code = (
        "import sys; from gpuseg.cli import main; main(['--help'], standalone_mode=False);"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    assert run_python(code).strip().endswith("[]")


def test_every_public_name_exists_and_is_documented() -> None:
    for name in gpuseg.__all__:
        value = getattr(gpuseg, name)
        assert name == "__version__" or (value.__doc__ or "").strip(), name
    assert set(gpuseg.__all__) <= set(dir(gpuseg))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gpuseg.nothing


def test_no_module_stands_in_the_place_of_a_public_name() -> None:
    """`import gpuseg.info` would make `gpuseg.info` a module."""
    modules = {path.stem for path in (ROOT / "gpuseg").iterdir()}
    assert not modules & set(gpuseg.__all__)


def commands() -> list[click.Command]:
    return [main, *main.commands.values()]


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_every_command_and_option_has_help(command: click.Command) -> None:
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name


def test_readme_names_every_option_and_no_other() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    told = set(re.findall(r"--[a-z][a-z0-9-]+", readme))
    known = {opt for c in commands() for p in c.params for opt in p.opts if opt.startswith("--")}
    assert not known - told - {"--version"}
    of_dask = {"--memory-limit", "--nthreads", "--nworkers", "--resources", "--scheduler-file"}
    assert not told - known - of_dask - {"--gpus", "--help", "--user"}


def test_readme_code_of_the_python_section_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    [code] = re.findall(r"^## Python\n+```python\n(.*?)```", readme, re.S | re.M)
    save_mask(tmp_path / "masks" / "a.png")
    monkeypatch.chdir(tmp_path)
    here = {"mask": gpuseg.voc_colormap()[indices(4, 6)]}
    exec(code, here)
    assert np.array_equal(here["colours"], here["mask"])
    assert np.array_equal(gpuseg.load_label("label.png"), here["labels"])
    assert (tmp_path / "labels" / "a.png").exists()


def test_dockerfile_installs_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    [told] = re.findall(r"^pip install ('\.\[cuda13\]')", readme, re.M)
    [done] = re.findall(r"^RUN pip install --no-cache-dir (\S+)", dockerfile, re.M)
    assert told == done
    assert "USER 1000" in dockerfile
    assert 'ENTRYPOINT ["gpuseg"]' in dockerfile


def test_extras_are_light() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {
        re.split(r"[<>=]", need)[0] for extra in ("cuda12", "cuda13") for need in extras[extra]
    }
    both = {"nvidia-cuda-nvrtc", "nvidia-cuda-runtime"}
    assert names == {"cupy-cuda12x", "cupy-cuda13x", *both, *(f"{name}-cu12" for name in both)}


def test_advice_for_a_missing_gpu_names_what_the_extras_install() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for extra in ("cuda12", "cuda13"):
        for need in project["optional-dependencies"][extra]:
            assert f"'{need}'" in INSTALL


def test_links_of_the_papers_lead_somewhere() -> None:
    for paper in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "docs/scaling.md"):
        text = (ROOT / paper).read_text("utf-8")
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / paper).parent.joinpath(link).exists(), f"{paper}: {link}"
