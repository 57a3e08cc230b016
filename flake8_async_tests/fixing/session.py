"""One run of fixes over many files: round after round in memory, until nothing is left to fix."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Protocol

from flake8_async_tests.fixing.apply import apply_fixes
from flake8_async_tests.fixing.document import Document, read_document
from flake8_async_tests.fixing.lines import unify_line_ends
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flake8_async_tests.rule import Finding, Rule

# Fixes come to an end long before: this ends those of two rules that undo each other.
_MOST_ROUNDS = 20


@record
class Reported:
    """A finding that the linter would show to the user."""

    rule: Rule
    finding: Finding

    @property
    def code(self) -> str:
        return self.rule.code

    def is_fixable(self, *, unsafe: bool) -> bool:
        return self.finding.fix is not None and (self.finding.fix.safe or unsafe)


class Linter(Protocol):
    """Whoever says which findings there are."""

    def begin(self, changed: Mapping[str, bytes]) -> None:
        """Forget what is known of the project; the content of some files is not what is on the disk."""

    def lint(self, path: str, text: str) -> list[Reported]:
        """The findings that are reported for a text, in the place of that file's."""


class NotFixed(Exception):  # noqa: N818  # read as a sentence
    """Why a file has to stay as it was."""


@dataclass
class FileResult:
    """What has come of one file so far."""

    names: tuple[str, ...]
    """Its path; several where links lead to it."""
    document: Document
    text: str
    fixed: Counter[str] = field(default_factory=Counter)
    left: list[Reported] = field(default_factory=list)
    trouble: str = ""
    """Why it stays as it was."""

    @property
    def path(self) -> str:
        return self.names[0]

    @property
    def has_changed(self) -> bool:
        return self.text != self.document.text

    @property
    def content(self) -> bytes:
        return self.document.with_text(self.text)

    def give_up(self, trouble: str) -> None:
        self.text = self.document.text
        self.fixed.clear()
        self.trouble = trouble


class Session:
    """Fixes files in memory; nothing is written."""

    def __init__(self, linter: Linter, *, unsafe: bool) -> None:
        self._linter = linter
        self._unsafe = unsafe

    def run(self, paths: Sequence[str], progress: Callable[[int, int, str], None]) -> list[FileResult]:
        """What comes of the files; of those that cannot be read nothing does."""
        by_file: dict[str, list[str]] = {}
        for path in paths:
            by_file.setdefault(os.path.realpath(path), []).append(path)
        documents = ((tuple(names), read_document(names[0])) for names in by_file.values())
        results = [FileResult(names, document, document.text) for names, document in documents if document is not None]
        for _ in range(_MOST_ROUNDS):
            # What was fixed in one file may change what there is to say of another, a conftest above all.
            self._linter.begin({result.path: result.content for result in results if result.has_changed})
            changed = False
            for number, result in enumerate(results, start=1):
                progress(number, len(results), result.path)
                changed |= self._settle(result)
            if not changed:
                break
        return results

    def _settle(self, result: FileResult) -> bool:
        """Fix a file until it has nothing left to fix; say whether that changed it."""
        before = result.text
        try:
            result.left = [reported for name in result.names for reported in self._fix_all(result, name)]
        except NotFixed as reason:
            result.give_up(str(reason))
            result.left = [reported for name in result.names for reported in self._lint(name, result.text)]
        return result.text != before

    def _lint(self, name: str, text: str) -> list[Reported]:
        return self._linter.lint(name, unify_line_ends(text))

    def _fix_all(self, result: FileResult, name: str) -> list[Reported]:
        """Fix what there is to fix in a file under one of its names, and give what is left."""
        left = self._lint(name, result.text)
        for _ in range(_MOST_ROUNDS):
            fixable = [reported for reported in left if reported.is_fixable(unsafe=self._unsafe)]
            if not fixable or result.trouble:
                return left
            left = self._fix(result, name, fixable, left)
        raise NotFixed("its fixes come to no end")

    def _fix(self, result: FileResult, name: str, fixable: list[Reported], found: list[Reported]) -> list[Reported]:
        """Fix what can be fixed at once of what was found, and give what is left."""
        codes = ", ".join(sorted({reported.code for reported in fixable}))
        fixes = [reported.finding.fix for reported in fixable if reported.finding.fix is not None]
        applied = apply_fixes(result.text, fixes, is_package=name.endswith("__init__.py"))
        if applied is None:
            raise NotFixed(f"the fixes of {codes} would leave no valid Python")
        left = self._lint(name, applied.text)
        fixed = [fixable[position] for position in applied.fixes]
        still_there = _still_there(found, fixed, left)
        if still_there:
            # What is told as often as before may be told of another place: of what a fix has brought to light.
            still_there = _still_there(found, fixed, _without_uncovered(result.text, found, applied.text, left))
        if still_there:
            raise NotFixed(f"the fixes of {', '.join(still_there)} do not mend what they are for")
        result.text = applied.text
        result.fixed.update(reported.code for reported in fixed)
        return left


def _still_there(before: list[Reported], fixed: list[Reported], after: list[Reported]) -> list[str]:
    """The codes of findings that are told as often as if no fix had been applied."""
    told_before, told_after, mended = _told(before), _told(after), _told(fixed)
    return sorted({key[0] for key, times in mended.items() if told_after[key] > told_before[key] - times})


def _without_uncovered(
    text_before: str, before: list[Reported], text_after: str, after: list[Reported]
) -> list[Reported]:
    """What is told after fixes, but for what is told of a line that was there before, and of which it was not told."""
    came_from = _lines_before(text_before, text_after)
    told_before = {(_key(each), each.finding.node.lineno) for each in before}
    return [
        each
        for each in after
        if each.finding.node.lineno not in came_from or (_key(each), came_from[each.finding.node.lineno]) in told_before
    ]


def _lines_before(before: str, after: str) -> dict[int, int]:
    """By the number of each line of a text that was fixed, the number that it had; none for lines that are new."""
    old, new = (unify_line_ends(text).split("\n") for text in (before, after))
    found: dict[int, int] = {}
    for _, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        # As many lines in the place of others are these lines, changed.
        if old_end - old_start == new_end - new_start:
            found.update(zip(range(new_start + 1, new_end + 1), range(old_start + 1, old_end + 1), strict=True))
    return found


def _told(reported: list[Reported]) -> Counter[tuple[str, str]]:
    return Counter(map(_key, reported))


def _key(reported: Reported) -> tuple[str, str]:
    return reported.code, reported.finding.message
