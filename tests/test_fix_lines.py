"""Texts by their lines, whatever ends these."""

from __future__ import annotations

import pytest

from flake8_async_tests.fixing.lines import Lines, apply_edits, line_end_of, unify_line_ends
from flake8_async_tests.rule import Edit


def test_that_only_the_ends_of_lines_end_lines() -> None:
    assert Lines("a\fb\u2028c\nd\r\ne\rf").with_ends() == ["a\fb\u2028c\n", "d\r\n", "e\r", "f"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_offsets_and_places(end: str) -> None:
    lines = Lines(f"äöü = 1{end}x = 2{end}")
    assert lines.count == 3
    assert lines.offset((1, 6)) == 3
    assert lines.offset((2, 1)) == 7 + len(end) + 1
    for offset in (0, 3, 7 + len(end), 7 + len(end) + 2):
        assert lines.offset(lines.place(offset)) == offset


def test_what_stands_around_a_place() -> None:
    lines = Lines("  @mark  # why\ndef f(): ...")
    assert lines.before((1, 3)) == "  @"
    assert lines.after((1, 7)) == "  # why"
    assert lines.is_rest_empty((1, 7))
    assert not lines.is_rest_empty((1, 2))
    assert lines.start_of_next_line(1) == (2, 0)
    assert lines.start_of_next_line(2) == (2, 12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\nc\n", "a\nc\n"),
        ("a\n\nb\n\n\nc\n", "a\n\n\nc\n"),
        ("a\n\n\nb\n\nc\n", "a\n\n\nc\n"),
        ("a\n\n\nb\nc\n", "a\n\n\nc\n"),
        ("b\n\n\nc\n", "c\n"),
        ("a\n\nb\n", "a\n"),
        ("a\n\nb", "a\n"),
        ("a\nb", "a\n"),
    ],
)
def test_that_blank_lines_do_not_pile_up_where_a_line_goes(text: str, expected: str) -> None:
    number = text.split("\n").index("b") + 1
    assert apply_edits(text, [Lines(text).without_lines(number, number)]) == expected


def test_that_new_lines_end_as_the_others_do() -> None:
    text = "a\r\nb\r\nc\n"
    assert apply_edits(text, [Edit((2, 0), (2, 1), "x\ny")]) == "a\r\nx\r\ny\r\nc\n"


def test_edits_in_any_order() -> None:
    assert apply_edits("abc", [Edit((1, 2), (1, 3), "z"), Edit((1, 0), (1, 1), "x")]) == "xbz"


@pytest.mark.parametrize(("text", "end"), [("", "\n"), ("a\nb\r\nc\r\n", "\r\n"), ("a\rb", "\r")])
def test_the_end_that_most_lines_have(text: str, end: str) -> None:
    assert line_end_of(text) == end


def test_line_ends_as_flake8_sees_them() -> None:
    assert unify_line_ends("a\r\nb\rc\n") == "a\nb\nc\n"
