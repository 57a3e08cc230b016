"""The walls of the house: who may know whom, as docs/design.md says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "flake8_async_tests"
INFERENCE = PACKAGE / "inference"


def rooms_of_inference() -> list[str]:
    """The rooms in the order of the table in the docs: each may know those above it."""
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    table = page.partition("## The rooms of `inference/`")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)/` \|", table, re.MULTILINE)


def imported_by(path: Path) -> Iterator[str]:
    """The modules of the package that a module imports, for types alone or not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("flake8_async_tests"):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_docs_show_all_rooms_of_inference() -> None:
    assert sorted(rooms_of_inference()) == sorted(path.parent.name for path in INFERENCE.glob("*/__init__.py"))
    assert [path.name for path in INFERENCE.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("room", rooms_of_inference())
def test_a_room_of_inference_knows_no_room_below_it(room: str) -> None:
    rooms = rooms_of_inference()
    known = {
        (path.name, name)
        for path in (INFERENCE / room).glob("*.py")
        for name in imported_by(path)
        for below in rooms[rooms.index(room) + 1 :]
        if name.startswith(f"flake8_async_tests.inference.{below}.")
    }
    assert known == set()


@pytest.mark.parametrize(
    ("part", "never"),
    [
        ("source", ("inference", "rules", "checker", "command", "edits", "fixing")),
        ("project", ("inference", "rules", "checker", "command", "edits", "fixing", "runner")),
        ("inference", ("rules", "checker", "command", "edits", "fixing")),
        ("rules", ("checker", "command")),
        ("fixing", ("inference", "rules", "checker", "command")),
    ],
)
def test_who_never_knows_whom(part: str, never: tuple[str, ...]) -> None:
    known = {
        (path.name, name)
        for path in (PACKAGE / part).rglob("*.py")
        for name in imported_by(path)
        for other in never
        if f"{name}.".startswith(f"flake8_async_tests.{other}.")
    }
    assert known == set()


def test_that_no_rule_knows_another() -> None:
    rules = (PACKAGE / "rules").glob("at*.py")
    assert [path.name for path in rules if any(".rules" in name for name in imported_by(path))] == []


def test_who_knows_flake8() -> None:
    """The checker and the command alone: a rule is a pure function of facts."""
    knowing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(from|import) flake8\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {name for name in knowing if not name.startswith("command/")} == {"checker.py"}
