"""The class that flake8 loads. It alone knows flake8, and nothing knows it."""

from __future__ import annotations

import gc
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from flake8.exceptions import ExecutionError, PluginExecutionFailed

from flake8_async_tests import __version__
from flake8_async_tests.in_force import rules_in_force
from flake8_async_tests.inference.places.relevance import can_matter
from flake8_async_tests.options import NEWEST_PYTEST_ASYNCIO, Options
from flake8_async_tests.project.project import Project
from flake8_async_tests.rules import all_rules
from flake8_async_tests.source.dead_code import never_runs

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterable, Iterator, Sequence

    from flake8.options.manager import OptionManager

    from flake8_async_tests.rule import Finding, Rule
    from flake8_async_tests.source.module import Module


class Checker:
    """Gives each parsed file to the rules and their findings to flake8."""

    name = "flake8-async-tests"
    version = __version__

    # flake8 hands its options to the class, before it makes an instance for each file.
    project: ClassVar[Project] = Project(Options())

    def __init__(self, tree: ast.Module, lines: Sequence[str], filename: str) -> None:
        self._tree = tree
        self._lines = lines
        self._filename = filename

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Tell flake8 which options there are."""
        manager.add_option(
            "--async-tests-asyncio-mode",
            default="",
            metavar="MODE",
            parse_from_config=True,
            help="auto or strict: pytest-asyncio's mode, instead of what pytest's configuration says",
        )
        manager.add_option(
            "--async-tests-marks",
            default="",
            metavar="MARKS",
            parse_from_config=True,
            comma_separated_list=True,
            help="further pytest marks under which an async test runs, separated by commas",
        )
        manager.add_option(
            "--async-tests-max-sleep",
            default="1.0",
            metavar="SECONDS",
            parse_from_config=True,
            help="from how many seconds on a sleep in a test is slow (default: 1.0)",
        )
        manager.add_option(
            "--async-tests-max-elapsed",
            default="5.0",
            metavar="SECONDS",
            parse_from_config=True,
            help="from how many seconds on an upper bound on measured time is generous enough (default: 5.0)",
        )
        manager.add_option(
            "--async-tests-pytest-asyncio",
            default=".".join(map(str, NEWEST_PYTEST_ASYNCIO)),
            metavar="VERSION",
            parse_from_config=True,
            help="the version of pytest-asyncio to judge for (default: the newest known, %(default)s)",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Take the options, checked; with them a project of which nothing is known yet."""
        cls.project = Project(
            Options(
                asyncio_mode=_mode(options.async_tests_asyncio_mode),
                marks=tuple(options.async_tests_marks),
                max_sleep=_seconds("max-sleep", options.async_tests_max_sleep),
                max_elapsed=_seconds("max-elapsed", options.async_tests_max_elapsed),
                pytest_asyncio=_version(options.async_tests_pytest_asyncio),
                opt_in=tuple(
                    entry
                    for entry in (*(options.select or ()), *(options.extend_select or ()))
                    if entry.startswith("AT9")
                ),
            )
        )

    def run(self) -> Iterator[tuple[int, int, str, type[Checker]]]:
        """The findings, as flake8 takes them."""
        type(self).project = self.project.for_run(self._filename)
        if self.project.is_no_test_file(self._filename, self._tree):
            return
        with _without_collections():
            found = self.reports(all_rules())
            self.project.let_go()
        for line, column, text in found:
            yield line, column, text, type(self)

    def reports(self, rules: Iterable[Rule]) -> list[tuple[int, int, str]]:
        """What some rules say, in the order of the file: the line, the column from 0, and the code with the message."""
        found = set()
        for rule, finding in self.findings(rules):
            line, column = self.place(finding)
            found.add((line, column, f"{rule.code} {finding.printable}"))
        return sorted(found)

    def findings(self, rules: Iterable[Rule]) -> Iterator[tuple[Rule, Finding]]:
        """What some rules say, rule by rule."""
        type(self).project = self.project.for_next()
        module = self.project.module_for(self._filename, self._tree, self._lines)
        if not module.is_test_file:
            return
        for rule in self._that_apply(rules, module):
            try:
                for finding in rule.check(module):
                    about = finding.about or finding.node
                    if not never_runs(module, about.lineno, about.col_offset):
                        yield rule, finding
            except Exception as error:
                # flake8 wraps only what happens while it makes the instance: without this its user would see
                # a bare traceback. As text, since a job hands it to the main process.
                raise PluginExecutionFailed(
                    self._filename, f"{self.name}, rule {rule.code}", RuntimeError(repr(error))
                ) from error

    def _that_apply(self, rules: Iterable[Rule], module: Module) -> list[Rule]:
        opt_in = self.project.options.opt_in
        code_matters = can_matter(module, opt_in=bool(opt_in))
        return rules_in_force(tuple(rules), opt_in, code_matters=code_matters).of(module)

    def place(self, finding: Finding) -> tuple[int, int]:
        """The line and column, counted in characters: the tree counts bytes."""
        line, column = finding.node.lineno, finding.node.col_offset
        if column and line <= len(self._lines):
            text = self._lines[line - 1]
            if not text.isascii():
                column = len(text.encode()[:column].decode(errors="ignore"))
        return line, column


@contextmanager
def _without_collections() -> Iterator[None]:
    """Keep the interpreter from looking for garbage: what is found out of a file is none before the end.

    And then it is let go of, so that little is left to look through.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _mode(text: str) -> str | None:
    if text not in ("", "auto", "strict"):
        raise ExecutionError(f"async-tests-asyncio-mode is {text!r}, but only auto and strict are modes")
    return text or None


def _seconds(option: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ExecutionError(f"async-tests-{option} is {text!r}, but it takes a number of seconds, such as 1.5")
    return seconds


def _version(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})*", text):
        raise ExecutionError(f"async-tests-pytest-asyncio is {text!r}, but it takes a version, such as 0.24")
    return tuple(int(part) for part in text.split("."))
