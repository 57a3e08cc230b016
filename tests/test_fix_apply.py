"""Fixes side by side and in each other's way."""

from __future__ import annotations

from flake8_async_tests.fixing.apply import apply_fixes
from flake8_async_tests.rule import Edit, Fix, Import

TEXT = "a = 1\nb = 2\nc = 3\n"


def on_line(number: int, start: int, end: int, text: str) -> Edit:
    return Edit((number, start), (number, end), text)


def fix(*edits: Edit) -> Fix:
    return Fix(edits, safe=True)


def test_that_what_does_not_overlap_is_applied_at_once() -> None:
    applied = apply_fixes(TEXT, [fix(on_line(3, 4, 5, "9")), fix(on_line(1, 4, 5, "7"))])
    assert applied is not None
    assert applied.text == "a = 7\nb = 2\nc = 9\n"
    assert applied.fixes == (1, 0)


def test_that_what_overlaps_waits() -> None:
    applied = apply_fixes(TEXT, [fix(on_line(2, 0, 5, "d")), fix(on_line(2, 4, 5, "9")), fix(on_line(3, 4, 5, "9"))])
    assert applied is not None
    assert applied.text == "a = 1\nd\nc = 9\n"
    assert applied.fixes == (0, 2)


def test_that_a_fix_is_applied_whole_or_not_at_all() -> None:
    both = fix(on_line(1, 4, 5, "7"), on_line(3, 4, 5, "7"))
    applied = apply_fixes(TEXT, [fix(on_line(1, 0, 5, "d = 4")), both, fix(on_line(3, 0, 1, "e"))])
    assert applied is not None
    assert applied.text == "d = 4\nb = 2\ne = 3\n"
    assert applied.fixes == (0, 2)


def test_that_a_fix_across_another_one_does_not_hide_it() -> None:
    across = fix(on_line(1, 4, 5, "7"), on_line(3, 4, 5, "7"))
    applied = apply_fixes(TEXT, [across, fix(on_line(2, 4, 5, "8"))])
    assert applied is not None
    assert applied.text == "a = 7\nb = 8\nc = 7\n"


def test_that_an_insertion_gives_way_to_what_it_touches() -> None:
    applied = apply_fixes(TEXT, [fix(on_line(1, 4, 5, "7")), fix(on_line(1, 5, 5, " + 1"))])
    assert applied is not None
    assert applied.text == "a = 7\nb = 2\nc = 3\n"
    applied = apply_fixes(TEXT, [fix(on_line(1, 5, 5, " + 1")), fix(on_line(1, 5, 5, " + 2"))])
    assert applied is not None
    assert applied.fixes == (0,)


def test_that_two_replacements_may_meet() -> None:
    applied = apply_fixes(TEXT, [fix(on_line(1, 0, 2, "x ")), fix(on_line(1, 2, 5, "= 7"))])
    assert applied is not None
    assert applied.text == "x = 7\nb = 2\nc = 3\n"


def test_that_imports_come_along() -> None:
    applied = apply_fixes("a = 1\n", [Fix((on_line(1, 4, 5, "httpx.URL"),), True, (Import("httpx"),))])
    assert applied is not None
    assert applied.text == "import httpx\n\na = httpx.URL\n"


def test_that_what_is_no_python_is_refused() -> None:
    assert apply_fixes(TEXT, [fix(on_line(1, 4, 5, ""))]) is None
