"""Apply the fixes of some rules to the files of a small project."""

from __future__ import annotations

import ast
import io
from typing import TYPE_CHECKING

from flake8_async_tests import Checker
from flake8_async_tests.fixing.changed import ChangedFiles
from flake8_async_tests.fixing.session import FileResult, Reported, Session
from flake8_async_tests.project.project import Project
from flake8_async_tests.rules import rules_with
from tests.linting import configure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
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
        except (SyntaxError, ValueError):
            return []
        # As flake8 takes lines apart: a form feed ends none.
        checker = Checker(tree, io.StringIO(text).readlines(), path)
        return [Reported(rule, finding) for rule, finding in checker.findings(self._rules)]


def fix_project(
    files: Mapping[str, str], directory: Path, options: Sequence[str], codes: Collection[str]
) -> dict[str, FileResult]:
    """What comes of each Python file when all fixes are applied."""
    (directory / ".git").mkdir(exist_ok=True)
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # As it is: with its own line ends.
        path.write_bytes(text.encode())
    configure(options)
    return fix_files(directory, [name for name in files if name.endswith(".py")], codes)


def fix_files(directory: Path, names: Iterable[str], codes: Collection[str]) -> dict[str, FileResult]:
    """What comes of files that are there, with the options that were set last."""
    paths = {str(directory / name): name for name in names}
    results = Session(RulesAlone(codes), unsafe=True).run(list(paths), lambda *_: None)
    return {paths[result.path]: result for result in results}
