"""Whole files or none, and temp files of killed runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gpuseg import output
from gpuseg.errors import OutputError, UsageError
from tests.helpers import ahead, environment


def temps(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.name.startswith(output.PREFIX)]


def test_writes_and_replaces(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    output.write_atomically(str(target), b"one")
    output.write_atomically(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert temps(tmp_path) == []


def test_longest_file_name_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 251 + ".png")
    output.write_atomically(str(target), b"one")
    assert target.read_bytes() == b"one"


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    output.write_atomically(str(target), b"old")

    def full(handle: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="No space left on device; what was there"):
        output.write_atomically(str(target), b"new")
    assert target.read_bytes() == b"old"
    assert temps(tmp_path) == []


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:3]))
    output.write_atomically(str(tmp_path / "a"), b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_piece_by_piece(tmp_path: Path) -> None:
    target = tmp_path / "a.jsonl"
    for text in (b"one", b"two"):
        with output.open_atomically(str(target)) as file:
            file.write(text[:1])
            file.write(text[1:])
    assert target.read_bytes() == b"two"
    assert temps(tmp_path) == []


def test_pieces_that_do_not_come_to_an_end(tmp_path: Path) -> None:
    target = tmp_path / "a.jsonl"
    target.write_bytes(b"old")

    def write(error: BaseException) -> None:
        with output.open_atomically(str(target)) as file:
            file.write(b"new")
            raise error

    with pytest.raises(OutputError, match="cannot be written: No space left; what was there"):
        write(OSError(28, "No space left"))
    for error in (KeyboardInterrupt(), UsageError(), ValueError()):
        with pytest.raises(type(error)):
            write(error)
    assert target.read_bytes() == b"old"
    assert temps(tmp_path) == []


@pytest.mark.parametrize("target", ["nowhere/a", "a\0b"])
def test_a_place_for_no_piece(tmp_path: Path, target: str) -> None:
    with (
        pytest.raises(OutputError, match="cannot be written"),
        output.open_atomically(str(tmp_path / target)),
    ):
        pass


def name(host: str, pid: int, token: str = "deadbeef") -> str:
    return f"{output.PREFIX}{host}-{pid}-{token}-0{output.SUFFIX}"


def test_sweep_takes_what_the_dead_left_and_nothing_else(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = name(output._HOST, child.pid)
    recycled = name(output._HOST, os.getpid())  # our pid, another process's token
    old = name("00000000", 1)
    stale = [dead, recycled, old]
    kept = [
        name(output._HOST, os.getpid(), output.token()),
        name("00000000", 2),
        "a.png",
        ".gpuseg-notes.tmp",
    ]
    if os.name != "nt":
        kept.append(name(output._HOST, os.getppid()))  # runs
    for file in [*stale, *kept]:
        (tmp_path / file).touch()
    day = time.time() - output.FOREIGN_STALE_SECONDS - 60
    os.utime(tmp_path / old, (day, day))
    assert output.sweep(str(tmp_path)) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept)


def test_a_clock_that_is_days_off_sweeps_no_living_file(tmp_path: Path) -> None:
    """Another machine has just written it, and this one's clock is a week ahead."""
    living = tmp_path / name("00000000", 1)
    living.touch()
    clock = ahead()
    code = (
        "import sys, time; from gpuseg.output import sweep; print(time.time(), sweep(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=environment(**clock), capture_output=True, text=True)
    now, swept = done.stdout.split()
    assert float(now) > time.time() + 6 * 86400
    assert (swept, living.exists()) == ("0", True)


def test_a_run_that_was_joined_is_not_swept_until_it_is_left(tmp_path: Path) -> None:
    before = output.token()
    living = tmp_path / name("00000000", 1, "feedface")
    living.touch()
    day = time.time() - output.FOREIGN_STALE_SECONDS - 60
    os.utime(living, (day, day))
    output.join_run("feedface")
    output.join_run("0badcafe")
    try:
        assert output.token() == "0badcafe"
        assert output.sweep(str(tmp_path)) == 0
        output.leave_run("0badcafe")
        assert output.sweep(str(tmp_path)) == 0
    finally:
        output.leave_run("feedface")
    assert output.token() == before
    assert output.sweep(str(tmp_path)) == 1


def test_a_run_that_was_left_is_not_swept_by_its_own_process(tmp_path: Path) -> None:
    """Names have the token of the run that was joined last: a file may be that of another run."""
    before = output.token()
    with output.new_run() as token:
        assert output.token() == token != before
        living = Path(output.temp_path(str(tmp_path)))
    living.touch()
    assert output.token() == before
    assert output.sweep(str(tmp_path)) == 0


def test_a_marker_is_there_for_a_while(tmp_path: Path) -> None:
    with output.marker(str(tmp_path), "feedface") as path:
        assert path is not None
        assert os.path.exists(path)
        assert "-feedface-" in path
    assert temps(tmp_path) == []
    with output.marker(None, "feedface") as path:
        assert path is None
    with output.marker(str(tmp_path / "nowhere"), "feedface") as path:
        assert path is None


def test_containers_of_one_host_name_are_two_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ids of a temp file say nothing in another process namespace."""
    monkeypatch.setattr(os, "readlink", lambda path: "pid:[1]")
    first = output._machine()
    monkeypatch.setattr(os, "readlink", lambda path: "pid:[2]")
    assert output._machine() != first


def test_folds_case_tells_what_the_file_system_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "probe").touch()
    assert output.folds_case(str(tmp_path)) == (tmp_path / "PROBE").exists()
    assert temps(tmp_path) == []
    real = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: real(str(path).replace("X", "x")) or True)
    assert output.folds_case(str(tmp_path))


def test_a_place_where_no_file_may_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "classes.csv"
    output.check_replaceable(str(target), None, "")
    target.touch()
    output.check_replaceable(str(target), None, "")
    target.write_bytes(b"name,r,g,b")
    with pytest.raises(OutputError, match="exists already and would be replaced; remove it"):
        output.check_replaceable(str(target), None, "remove it")
