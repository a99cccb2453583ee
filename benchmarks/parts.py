"""Parts of a long run: child processes with a time budget each, and what became of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from benchmarks.common import ROOT, Table, child_environment

State = Literal["passed", "failed", "cut", "skipped"]

TAIL = 15
"""Lines of a part's output that the results keep."""


@dataclass(frozen=True, slots=True)
class Part:
    """One command of a run.

    words: the command. budget: seconds it may take. tests: its last line counts pytest's
    tests, and one at least must have passed. skip: why it cannot run here, if so.
    """

    name: str
    words: Sequence[str]
    budget: float
    tests: bool = False
    skip: str = ""


@dataclass(slots=True)
class Outcome:
    """What became of a part. says: one line on it. tail: the end of its output."""

    name: str
    state: State
    seconds: float = 0.0
    says: str = ""
    tail: list[str] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The outcome for JSON."""
        return asdict(self)

    def markdown(self) -> str:
        """Its tables; what it printed last where it failed and has none."""
        text = [Table(**table).markdown() for table in self.tables]
        if self.state == "failed":
            text.append("```text\n" + "\n".join(self.tail) + "\n```\n")
        return "\n".join([f"## {self.name}: {self.state}\n", *text])


def run_part(part: Part, seconds: float, work: Path, out: Path) -> Outcome:
    """Run a part for at most `seconds`; a part that overruns is stopped, its tables are kept.

    out: where it may leave files, `{out}` in its words.
    """
    if part.skip:
        return Outcome(part.name, "skipped", says=part.skip)
    limit = min(part.budget, seconds)
    if limit <= 1:
        return Outcome(part.name, "skipped", says="no time was left for it")
    stem = re.sub(r"\W+", "-", part.name)
    log, results = work / f"{stem}.log", work / f"{stem}.json"
    places = {"{json}": str(results), "{out}": str(out.resolve())}
    words = [_filled(word, places) for word in part.words]
    start = monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=child_environment(PYTHONUNBUFFERED="1"),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _stop(process)
    outcome = Outcome(part.name, "passed", monotonic() - start)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    outcome.tail = [line for line in lines if line.strip()][-TAIL:]
    if results.exists():
        outcome.tables = json.loads(results.read_text(encoding="utf-8"))["tables"]
    _judge(outcome, part, code, limit)
    return outcome


def _filled(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


def _judge(outcome: Outcome, part: Part, code: int | None, limit: float) -> None:
    """State and sentence, from the exit code and the last lines."""
    text = "\n".join(outcome.tail)
    if code is None:
        outcome.state = "failed" if part.tests else "cut"  # tests without a verdict prove nothing
        outcome.says = f"stopped after its {limit:.0f} s, with {len(outcome.tables)} tables"
    elif code:
        outcome.state, outcome.says = "failed", f"exit code {code}"
    elif wrong := unequal(outcome.tables):
        outcome.state, outcome.says = "failed", f"unequal results in: {', '.join(wrong)}"
    else:
        outcome.says = f"{len(outcome.tables)} tables"
    if part.tests:
        counts = re.findall(r"^.*\d+ (?:passed|failed|skipped|deselected|errors?).*$", text, re.M)
        passed = re.search(r"(\d+) passed", text)
        if outcome.state == "passed" and not passed:
            outcome.state = "failed"
        outcome.says = counts[-1].strip("= ") if counts else f"no test ran; {outcome.says}"


def unequal(tables: Sequence[dict[str, Any]]) -> list[str]:
    """Titles of tables in which a check for equality failed."""
    checks = ("equal", "same labels")
    return [t["title"] for t in tables if any(r.get(c) is False for r in t["rows"] for c in checks)]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs and, where the system can, all that it started."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
    else:
        process.kill()
    process.wait()
