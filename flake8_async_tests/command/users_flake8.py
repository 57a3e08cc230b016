"""flake8 as the user has configured it, with this plugin alone: what it would check and what it would report.

flake8's own parts decide: its options, its walk through folders, its style guide with `select`, `ignore`,
`per-file-ignores` and `# noqa`. Only the findings come straight from the rules, so that their fixes come along.
"""

from __future__ import annotations

import ast
import io
import warnings
from typing import TYPE_CHECKING

from flake8.discover_files import expand_paths
from flake8.formatting.base import BaseFormatter
from flake8.options.parse_args import parse_args
from flake8.processor import FileProcessor
from flake8.style_guide import Decision, StyleGuideManager

from flake8_async_tests.checker import Checker
from flake8_async_tests.fixing.changed import ChangedFiles
from flake8_async_tests.fixing.session import Reported
from flake8_async_tests.project.project import Project
from flake8_async_tests.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flake8.violation import Violation

    from flake8_async_tests.rule import Rule


class UsersFlake8:
    """Lints texts in the place of files."""

    def __init__(self, paths: Sequence[str], select: Sequence[str] = (), ignore: Sequence[str] = ()) -> None:
        """Read the user's configuration. flake8's ExecutionError says what is wrong with it."""
        arguments = list(paths)
        if select:
            arguments.append(f"--select={','.join(select)}")
        if ignore:
            arguments.append(f"--ignore={','.join(ignore)}")
        _, self._options = parse_args(arguments)
        self._guide = StyleGuideManager(self._options, _Silent(self._options))
        self._project_options = Checker.project.options

    def files(self) -> list[str]:
        """The files that flake8 would check, by all of their names."""
        found = expand_paths(
            paths=self._options.filenames,
            stdin_display_name=self._options.stdin_display_name,
            filename_patterns=self._options.filename,
            exclude=(*self._options.exclude, *self._options.extend_exclude),
        )
        return sorted(set(found))

    def begin(self, changed: Mapping[str, bytes]) -> None:
        Checker.project = Project(self._project_options, ChangedFiles(changed))

    def lint(self, path: str, text: str) -> list[Reported]:
        processor = FileProcessor(path, self._options, io.StringIO(text).readlines())
        if processor.should_ignore_file():
            return []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse("".join(processor.lines))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []
        checker = Checker(tree, processor.lines, path)
        found = []
        for rule, finding in checker.findings(self._rules_for(path)):
            line, column = checker.place(finding)
            # Of a line that it is not given flake8 looks up the text on the disk.
            noqa_line = processor.noqa_line_for(line) or ""
            if self._guide.handle_error(rule.code, path, line, column, finding.message, noqa_line):
                found.append(Reported(rule, finding))
        return found

    def _rules_for(self, path: str) -> list[Rule]:
        guide = self._guide.style_guide_for(path)
        return [rule for rule in all_rules() if guide.should_report_error(rule.code) is Decision.Selected]


class _Silent(BaseFormatter):
    """Shows nothing: it is the style guide's verdict that is asked for."""

    def handle(self, error: Violation) -> None:
        pass
