"""Apply the fixes of some rules to the files of a small project."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests import Checker
from flake8_async_tests.fixing.changed import ChangedFiles
from flake8_async_tests.fixing.session import FileResult, Reported, Session
from flake8_async_tests.project.project import Project
from flake8_async_tests.rules import rules_with
from tests.linting import configure

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path


class RulesAlone:
    """A linter that reports all that some rules find."""

    def __init__(self, codes: Collection[str]) -> None:
        self._rules = rules_with(*sorted(codes))
        self._options = Checker.project.options

    def begin(self, changed: Mapping[str, bytes]) -> None:
        Checker.project = Project(self._options, ChangedFiles(changed))

    def lint(self, path: str, text: str) -> list[Reported]:
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return []
        checker = Checker(tree, text.splitlines(keepends=True), path)
        return [Reported(rule, finding) for rule, finding in checker.findings(self._rules)]


def fix_project(
    files: Mapping[str, str], directory: Path, options: Sequence[str], codes: Collection[str]
) -> dict[str, FileResult]:
    """What comes of each Python file when all fixes are applied."""
    (directory / ".git").mkdir(exist_ok=True)
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    configure(options)
    names = {str(directory / name): name for name in files if name.endswith(".py")}
    results = Session(RulesAlone(codes), unsafe=True).run(list(names), lambda *_: None)
    return {names[result.path]: result for result in results}
