"""Lint the files of a small project in this process, as flake8 would."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8.options.manager import OptionManager

from flake8_async_tests import Checker
from flake8_async_tests.rules import rules_with

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Reported:
    """One line of flake8's output."""

    path: str
    line: int
    column: int
    code: str
    message: str


def configure(options: Sequence[str] = ()) -> None:
    """Give the checker its options through flake8's own option manager."""
    manager = OptionManager(version="0", plugin_versions="", parents=[], formatter_names=[])
    manager.add_option("--select", comma_separated_list=True, default=None)
    manager.add_option("--extend-select", comma_separated_list=True, default=None)
    Checker.add_options(manager)
    namespace = manager.parse_args(list(options))
    Checker.parse_options(namespace)


def lint_text(path: Path, text: str, codes: Collection[str] = ("AT",)) -> list[Reported]:
    """Lint one file's text with the options that were set last. One that does not parse gets to no plugin."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    checker = Checker(tree, text.splitlines(keepends=True), str(path))
    found = []
    for line, column, message in checker.reports(rules_with(*sorted(codes))):
        code, _, rest = message.partition(" ")
        found.append(Reported(path.name, line, column + 1, code, rest))
    return found


def lint_project(
    files: Mapping[str, str], directory: Path, options: Sequence[str] = (), codes: Collection[str] = ("AT",)
) -> dict[str, list[Reported]]:
    """Write the files into a folder, the root of a repository, and lint every Python file among them.

    `codes` are the beginnings of the codes of the rules to run.
    """
    (directory / ".git").mkdir(exist_ok=True)
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    configure(options)
    return {name: lint_text(directory / name, text, codes) for name, text in files.items() if name.endswith(".py")}


__all__ = ["Reported", "configure", "lint_project", "lint_text"]
