"""`python -m gpuseg` is `gpuseg`."""

from __future__ import annotations

import sys


def run() -> None:
    """The command line; Ctrl-C while it still loads ends it without a traceback."""
    try:
        from gpuseg.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
