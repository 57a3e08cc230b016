"""Rounds over several files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.fixing.session import Reported, Session
from flake8_async_tests.rule import Edit, Finding, FirstLine, Fix, Knows, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RULE = Rule("AT101", "test", Knows.FILE, lambda _: iter(()), "safe")


def one_more(message: str, *, safe: bool = True) -> Reported:
    """A finding whose fix puts a line above all others."""
    return Reported(RULE, Finding(FirstLine(), message, Fix((Edit((1, 0), (1, 0), "x = 1\n"),), safe)))


class Linter:
    """Finds something in a file once in each round over the files."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, bytes]] = []
        self.linted: list[str] = []

    def begin(self, changed: Mapping[str, bytes]) -> None:
        self.rounds.append(dict(changed))
        self.linted = []

    def lint(self, path: str, text: str) -> list[Reported]:
        self.linted.append(path)
        if path.endswith("bad.py"):
            return [one_more("again")]
        return [one_more(text)] if self.linted.count(path) == 1 else []


def test_that_rounds_come_to_an_end(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    for path in (good, bad):
        path.write_text("y = 2\n")
    linter = Linter()
    results = Session(linter, unsafe=False).run([str(good), str(bad), str(tmp_path / "none.py")], lambda *_: None)
    assert len(linter.rounds) == 20
    assert linter.rounds[0] == {}
    assert linter.rounds[1] == {str(good): b"x = 1\ny = 2\n"}
    assert [result.trouble for result in results] == ["", "the fixes of AT101 do not mend what they are for"]
    assert results[0].text == "x = 1\n" * 20 + "y = 2\n"
    assert results[1].text == "y = 2\n"


def test_that_unsafe_fixes_have_to_be_asked_for() -> None:
    assert one_more("x").is_fixable(unsafe=False)
    assert not one_more("x", safe=False).is_fixable(unsafe=False)
    assert one_more("x", safe=False).is_fixable(unsafe=True)
    assert not Reported(RULE, Finding(FirstLine(), "x")).is_fixable(unsafe=True)
