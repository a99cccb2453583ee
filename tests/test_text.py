"""Names made fit to be shown."""

from __future__ import annotations

from gpuseg.text import one_line, printable, shortened


def test_what_nobody_can_see_is_escaped() -> None:
    assert one_line("a\nb\x1b[31m\u202ec\udcff") == "a\\nb\\x1b[31m\\u202ec\\udcff"
    assert printable("a\nb\t") == "a\nb\\t"
    assert one_line("عربى – ü 😀") == "عربى – ü 😀"


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    assert shortened("a" * 10, 10) == "a" * 10
    short = shortened("a" * 5000 + ".png", 60)
    assert len(short) == 60
    assert short.startswith("aaa")
    assert short.endswith("a.png")
    assert "…" in short
