"""Child processes are started as their parent was."""

from __future__ import annotations

import subprocess
import sys

from tests.helpers import environment


def test_workers_are_started_as_their_parent_was() -> None:
    command = [sys.executable, "-X", "utf8", "-c", "from gpuseg.children import flags as f; "]
    command[-1] += "print(' '.join(f()))"
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    assert "utf8" in done.stdout
