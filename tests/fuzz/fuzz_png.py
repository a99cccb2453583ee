"""Coverage-guided fuzzing of the direct PNG path: python -m tests.fuzz.fuzz_png --seconds 60.

Needs atheris. Subscripts and words in the compiled kernels are checked, so a read or write
outside is an IndexError. Ends with an error at the first finding, whose input is then kept.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import shutil
import sys
import tempfile
import types
import zlib
from pathlib import Path

import atheris

KERNELS = Path(__file__).parents[2] / "gpuseg" / "kernels"
_STATE = zlib.crc32(b"".join(path.read_bytes() for path in sorted(KERNELS.glob("*.py"))))
_CACHE = Path(tempfile.gettempdir()) / f"gpuseg-fuzz-{os.getuid()}-{_STATE:08x}"
# before numba is imported; a cache of its own, for numba's key knows neither the checks nor
# what a kernel takes from other files
os.environ["NUMBA_BOUNDSCHECK"] = "1"
os.environ["NUMBA_CACHE_DIR"] = str(_CACHE)
TIMEOUT, STUCK = 20, 300
"""Seconds that one input may take, and that the first ones may, kernels being compiled."""


def instrument(*modules: types.ModuleType) -> None:
    """Let atheris see the branches of these modules; by name of a package it would take all,
    and numba does not compile what it makes of a function."""
    for module in modules:
        for function in list(vars(module).values()):
            if isinstance(function, types.FunctionType) and function.__module__ == module.__name__:
                atheris.instrument_func(function)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.fuzz.fuzz_png", description=__doc__)
    parser.add_argument("inputs", nargs="*", type=Path, help="run these inputs once, and end")
    parser.add_argument("--seconds", type=int, default=60, help="how long to fuzz")
    parser.add_argument("--corpus", type=Path, help="folder of inputs, read and added to")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0: another")
    parser.add_argument(
        "--findings", type=Path, default=Path("build/fuzz"), help="where inputs of findings go"
    )
    parser.add_argument("--max-len", type=int, default=1500, help="bytes of an input")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    from gpuseg import direct, indexing
    from gpuseg.codecs import chunks, png, streams
    from tests.fuzz import kernels, seeds, targets

    instrument(png, chunks, streams, direct, indexing, *kernels.PLAIN)
    faulthandler.dump_traceback_later(STUCK, exit=True)
    for data in seeds.INPUTS:  # compiles the kernels before the clock runs
        targets.run(data, sampled=False)
    if given.inputs:
        for path in given.inputs:
            targets.run(path.read_bytes())
        return
    faulthandler.cancel_dump_traceback_later()
    given.findings.mkdir(parents=True, exist_ok=True)
    corpus = given.corpus
    if corpus is None:
        corpus = given.findings / "corpus"
        shutil.rmtree(corpus, ignore_errors=True)
    seeds.write(corpus)
    options = {
        "max_total_time": given.seconds,
        "seed": given.seed,
        "max_len": given.max_len,
        "timeout": TIMEOUT,
        "rss_limit_mb": 2048,
        "artifact_prefix": f"{given.findings}/",
        "use_value_profile": 1,
        "print_final_stats": 1,
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], targets.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
