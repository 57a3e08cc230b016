"""Plant pitfalls in the tests of a suite, a few of each kind, and see which of them the plugin finds."""

from __future__ import annotations

import ast
import os
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_async_tests import Checker
from flake8_async_tests.project.files import Files
from flake8_async_tests.project.project import Project
from flake8_async_tests.rules import rules_with
from tests.linting import configure
from tests.mutation.draft import program
from tests.mutation.mutators import MUTATORS
from tests.mutation.reading import Reading
from tests.mutation.source import FUNCTIONS
from tests.mutation.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.mutation.draft import Mutant
    from tests.mutation.mutators import Mutator

MOST_OF_A_FILE = 2
"""So many mutants of a kind at most come from one file."""

LUCKLESS = 4
"""How many times the cap is drawn, where most of what is drawn is undecidable."""


class FilesWith(Files):
    """The file system as it is, but for some files that hold something else."""

    def __init__(self, changed: Mapping[Path, str]) -> None:
        super().__init__()
        self._changed = {str(path): text.encode() for path, text in changed.items()}

    def names_in(self, directory: str) -> frozenset[str]:
        added = {os.path.basename(path) for path in self._changed if os.path.dirname(path) == directory}
        return super().names_in(directory) | added

    def read(self, path: str) -> bytes | None:
        return self._changed[path] if path in self._changed else super().read(path)

    def is_file(self, path: str) -> bool:
        return path in self._changed or super().is_file(path)


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant, and what the plugin said of it."""

    mutant: Mutant
    suite: str
    before: str
    """The text of the file before."""
    found: tuple[str, ...]
    """The codes reported where the finding is expected."""

    @property
    def is_caught(self) -> bool:
        return not {self.mutant.code, *self.mutant.instead}.isdisjoint(self.found)


class Plugin:
    """Lints texts as if they stood in the files of a suite."""

    def __init__(self) -> None:
        configure(["--extend-select=AT9"])
        self._options = Checker.project.options
        # What is read of the suite, read once for all of its mutants.
        self._files = Files()

    def forget(self, around: Mapping[Path, str] | None = None) -> None:
        """Know nothing of the project, which may have other files around now."""
        Checker.project = Project(self._options, FilesWith(around) if around else self._files)

    def report(
        self, path: Path, text: str, tree: ast.Module, codes: Iterable[str] = ("AT",)
    ) -> list[tuple[int, int, str]]:
        """Line, column and code of all findings of some rules."""
        checker = Checker(tree, text.splitlines(keepends=True), str(path))
        found = checker.reports(rules_with(*sorted(codes)))
        return [(line, column + 1, message.partition(" ")[0]) for line, column, message in found]


def try_suite(root: Path, cap: int, seed: str, wanted: Iterable[str] = ("AT",)) -> Iterator[Tried]:
    """The mutants of a suite: of each mutator at most `cap` that are decidable, and some that are not."""
    suite = Suite(root)
    plugin = Plugin()
    chance = random.Random(f"{seed}:{suite.name}")
    hungry = {name: each for name, each in MUTATORS.items() if each.code.startswith(tuple(wanted))}
    decidable = Counter[str]()
    drawn = Counter[str]()
    files = list(suite.test_files)
    chance.shuffle(files)
    for path in files:
        for mutant, tree in mutants_of(suite, plugin, path, hungry, chance):
            name = mutant.mutator
            drawn[name] += 1
            decidable[name] += mutant.is_decidable
            if decidable[name] >= cap or drawn[name] >= cap * LUCKLESS:
                del hungry[name]
            yield Tried(mutant, suite.name, suite.text(path) or "", found_in(plugin, mutant, tree))
        if not hungry:
            break
        suite.forget_tests()


def found_in(plugin: Plugin, mutant: Mutant, tree: ast.Module) -> tuple[str, ...]:
    """The codes of what is reported where a mutant's finding is expected."""
    codes = {mutant.code, *mutant.instead}
    if mutant.around or mutant.path.name == "conftest.py":
        plugin.forget(mutant.around)
    for is_last in (False, True):
        reports = plugin.report(mutant.path, mutant.text, tree, codes)
        found = tuple(code for line, column, code in reports if (line, column) == (mutant.line, mutant.column))
        if found or is_last:
            break
        # As if nothing had been linted before: what is missed counts only so.
        plugin.forget(mutant.around)
    if mutant.around:
        plugin.forget()
    return found


def mutants_of(
    suite: Suite,
    plugin: Plugin,
    path: Path,
    mutators: Mapping[str, Mutator],
    chance: random.Random,
    most: int = MOST_OF_A_FILE,
) -> Iterator[tuple[Mutant, ast.Module]]:
    """The mutants of one file: a few of each kind, where it was clean before, as long as the kind is wanted."""
    source = suite.source(path)
    if source is None or not source.text.strip():
        return
    reading = Reading(source)
    before: defaultdict[str, list[int]] | None = None
    for mutator in list(mutators.values()):
        sites = list(mutator.sites(reading))
        if not sites:
            continue
        if before is None:
            before = defaultdict(list)
            plugin.forget()
            for line, _, code in plugin.report(path, source.text, source.tree):
                before[code].append(line)
        made = 0
        for site in chance.sample(sites, len(sites)):
            mutant = mutator.mutant(reading, site)
            tree = program(mutant.text) if mutant is not None else None
            if mutant is None or tree is None or not _was_clean(mutant, tree, before[mutant.code], reading):
                continue
            yield mutant, tree
            made += 1
            if made == most or mutator.name not in mutators:
                break


def _was_clean(mutant: Mutant, tree: ast.Module, lines: list[int], reading: Reading) -> bool:
    """Whether the rule had nothing to say before, in the function in which its finding is expected now."""
    if not lines:
        return True
    if mutant.around or mutant.text.count("\n") <= 1:
        return False
    # The function by its name and not by its line, which the change may have moved.
    function = _function_around(tree, mutant.line)
    if function is None:
        return False
    for node in ast.walk(reading.source.tree):
        if (
            isinstance(node, FUNCTIONS)
            and node.name == function
            and any(node.lineno - len(node.decorator_list) - 1 <= line <= (node.end_lineno or 0) for line in lines)
        ):
            return False
    return True


def _function_around(tree: ast.Module, line: int) -> str | None:
    """The name of the outermost function that holds a line, its decorators included."""
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.ClassDef):
            todo += node.body
        elif isinstance(node, FUNCTIONS):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            if first <= line <= (node.end_lineno or 0):
                return node.name
    return None
