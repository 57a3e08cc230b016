"""A text by its lines: from the places that a tree has to offsets in the text, and what stands around them."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Protocol

from flake8_async_tests.rule import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flake8_async_tests.rule import Place

# Only these end a line for Python: a form feed or U+2028 does not, though `str.splitlines` says so.
_LINE_END = re.compile(r"\r\n?|\n")


class Located(Protocol):
    """Whatever has a place: most nodes of a tree."""

    @property
    def lineno(self) -> int: ...
    @property
    def col_offset(self) -> int: ...
    @property
    def end_lineno(self) -> int | None: ...
    @property
    def end_col_offset(self) -> int | None: ...


def start_of(node: Located) -> Place:
    return node.lineno, node.col_offset


def end_of(node: Located) -> Place:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset


class Lines:
    """A text whose line ends may be of any kind, and stay what they are."""

    def __init__(self, text: str) -> None:
        self.text = text
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(end.end() for end in ends)]
        self._stops = [*(end.start() for end in ends), len(text)]

    @property
    def count(self) -> int:
        """How many lines there are, the empty one behind a last line end included."""
        return len(self._starts)

    def line(self, number: int) -> str:
        """A line without its end."""
        return self.text[self._starts[number - 1] : self._stops[number - 1]]

    def with_ends(self) -> list[str]:
        """All lines with their ends."""
        return [
            self.text[start:stop] for start, stop in zip(self._starts, [*self._starts[1:], len(self.text)], strict=True)
        ]

    def is_blank(self, number: int) -> bool:
        return not self.line(number).strip()

    def offset(self, place: Place) -> int:
        """Where a place is in the text."""
        number, column = place
        line = self.line(number)
        if not line.isascii():
            column = len(line.encode()[:column].decode(errors="ignore"))
        return self._starts[number - 1] + column

    def place(self, offset: int) -> Place:
        """The place of an offset: the other way round."""
        number = bisect_right(self._starts, offset)
        return number, len(self.text[self._starts[number - 1] : offset].encode())

    def between(self, start: Place, end: Place) -> str:
        return self.text[self.offset(start) : self.offset(end)]

    def before(self, place: Place) -> str:
        """What stands on a place's line before it."""
        return self.between((place[0], 0), place)

    def after(self, place: Place) -> str:
        """What stands on a place's line behind it."""
        return self.line(place[0])[len(self.before(place)) :]

    def end_of_line(self, number: int) -> Place:
        return number, len(self.line(number).encode())

    def start_of_next_line(self, number: int) -> Place:
        """Where the next line starts; the end of the text when there is none."""
        return (number + 1, 0) if number < self.count else self.end_of_line(number)

    def is_rest_empty(self, place: Place) -> bool:
        """Whether nothing but a comment stands behind a place on its line."""
        rest = self.after(place).strip()
        return not rest or rest.startswith("#")

    def without_lines(self, first: int, last: int) -> Edit:
        """Remove whole lines, with the smaller of the runs of blank lines that would meet then."""
        before = after = 0
        while first - before > 1 and self.is_blank(first - before - 1):
            before += 1
        while last + after < self.count and self.is_blank(last + after + 1):
            after += 1
        if first - before == 1 or self.line(first - before - 1).rstrip().endswith(":"):
            # The text, or a block, starts with what follows.
            last += after
        elif before and (after >= before or last + after >= self.count):
            first -= before
        elif before:
            last += after
        return Edit((first, 0), self.start_of_next_line(last), "")


def line_end_of(text: str) -> str:
    """The line end that a text has most often; that of Unix when it has none."""
    ends = _LINE_END.findall(text)
    return max(("\n", "\r\n", "\r"), key=ends.count)


def unify_line_ends(text: str) -> str:
    """The text as Python's tokenizer and flake8 see it."""
    return _LINE_END.sub("\n", text)


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text after edits that do not overlap; new lines end as the others do."""
    lines = Lines(text)
    line_end = line_end_of(text)
    spans = sorted((lines.offset(edit.start), lines.offset(edit.end), edit.text) for edit in edits)
    parts = []
    done = 0
    for start, end, new in spans:
        parts += [text[done:start], new.replace("\n", line_end)]
        done = end
    parts.append(text[done:])
    return "".join(parts)
