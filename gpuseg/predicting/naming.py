"""What predictions are called: names that are safe, and tell them apart."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from gpuseg.archives.naming import Seen
from gpuseg.errors import UsageError
from gpuseg.names import why_unsafe
from gpuseg.taking import target_key, target_name

Name = str | os.PathLike[str]


def names_of(names: Name | Iterable[Name]) -> tuple[list[str], bool]:
    """The names that were given, with slashes, and whether it was one that stands alone.

    Raises UsageError for what is no name, or must not become a path below DST.
    """
    single = isinstance(names, str | bytes | os.PathLike)
    found = [names] if single else list(names)  # type: ignore[arg-type]  # told below
    return [_checked(name) for name in found], single


def _checked(name: object) -> str:
    text = name.as_posix() if isinstance(name, PurePath) else name
    if not isinstance(text, str):
        raise UsageError(
            f"a name must be a relative path such as 'a/b.png', got {name!r}; pass one for each "
            "image"
        )
    if why := why_unsafe(text):
        raise UsageError(
            f"the name {text!r} cannot be a file below DST: {why}; use relative names such as "
            "'a/b.png'"
        )
    return text


class TargetNames:
    """Where predictions go below DST: `a/b.jpg` to `a/b.png`, each target once a run.

    folds_case: DST takes a.png and A.png for one file.
    """

    def __init__(self, folds_case: bool) -> None:
        self._folds_case = folds_case
        self._seen = Seen()
        self._lock = threading.Lock()

    def take(self, names: Sequence[str]) -> list[str]:
        """The targets of a batch, all of them or none. Raises UsageError where two fall together.

        Safe to call from any thread.
        """
        keys = [target_key(name, self._folds_case) for name in names]
        with self._lock:
            here: set[str] = set()
            for name, key in zip(names, keys, strict=True):
                if key in here or key in self._seen:
                    raise UsageError(
                        f"two predictions of this run would become {target_name(name)}, the "
                        f"second of them {name!r}; give each image a name of its own (what "
                        "follows its last dot does not count)"
                    )
                here.add(key)
            for key in keys:
                self._seen.add(key)
        return [target_name(name) for name in names]
