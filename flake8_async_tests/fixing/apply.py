"""From a text and fixes to the text with as many of them as do not get into each other's way."""

from __future__ import annotations

import ast
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from flake8_async_tests.fixing.imports import add_imports, remove_orphans
from flake8_async_tests.fixing.lines import Lines, apply_edits
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flake8_async_tests.rule import Edit, Fix

_Span = tuple[int, int]


@record
class Applied:
    """What came out, and which of the fixes are in it, by their position in what was given."""

    text: str
    fixes: tuple[int, ...]


def apply_fixes(text: str, fixes: Sequence[Fix], *, is_package: bool = False) -> Applied | None:
    """Apply the fixes that do not overlap, the first of the file first; None when the result is no Python.

    A fix that overlaps with one that was applied waits until the text is looked at again.
    """
    chosen = _without_overlaps(text, fixes)
    edits = [edit for fix in {fixes[position] for position in chosen} for edit in fix.edits]
    try:
        edited = apply_edits(text, edits)
        edited = add_imports(edited, (each for position in chosen for each in fixes[position].imports))
        edited = remove_orphans(text, edited, is_package=is_package)
        ast.parse(edited)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Applied(edited, tuple(chosen))


def _without_overlaps(text: str, fixes: Sequence[Fix]) -> list[int]:
    lines = Lines(text)
    spans = [_spans(lines, fix.edits) for fix in fixes]
    chosen: list[int] = []
    taken: list[_Span] = []
    applied: set[Fix] = set()
    for position in sorted(range(len(fixes)), key=lambda at: spans[at]):
        if fixes[position] in applied:
            # Two findings with one remedy.
            chosen.append(position)
        elif not any(_is_taken(taken, span) for span in spans[position]):
            chosen.append(position)
            applied.add(fixes[position])
            for span in spans[position]:
                insort(taken, span)
    return chosen


def _is_taken(taken: list[_Span], span: _Span) -> bool:
    """Whether a span overlaps with one of those, which are in order and do not overlap each other."""
    at = max(0, bisect_left(taken, span) - 1)
    while at < len(taken) and taken[at][0] <= span[1]:
        if _touch(span, taken[at]):
            return True
        at += 1
    return False


def _spans(lines: Lines, edits: Sequence[Edit]) -> list[_Span]:
    return sorted((lines.offset(edit.start), lines.offset(edit.end)) for edit in edits)


def _touch(one: _Span, other: _Span) -> bool:
    """Whether two edits overlap. Two that meet do when one of them only inserts: which comes first is not sure."""
    if one[0] == one[1] or other[0] == other[1]:
        return one[0] <= other[1] and other[0] <= one[1]
    return one[0] < other[1] and other[0] < one[1]
