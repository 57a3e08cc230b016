"""Literate cases: Markdown in which code stands with the findings that it must give.

A case is a `## Title`, prose, and fenced blocks. A block's info string is a language and a path:

    ```python test_orders.py
    async def test_total():  # AT101:1 never runs
        ...
    ```

A comment `# ATNNN:column` expects that finding on its line, at that column (counted from 1, as flake8
prints it), with the words behind it somewhere in its message. Several are separated by `;;`. A line without
one expects none. A python block without a path is `test_example.py`. A block with the language `options`
holds options of the plugin, one a line. A finding that a line of its own cannot carry is written in
a block with the language `expect`, as `path:line:column CODE words`.

A block with the language `fixed` and a path (`test_example.py` without one) holds what that file becomes when all
fixes, safe and unsafe, are applied; a file without such a block is not compared.

A case file speaks of the code in its name; findings of other rules count only in cases that name their code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(r"^```(\S*)[ ]?(.*)$")
_EXPECTED = re.compile(r"#\s*(AT\d{3}:.*)$")
_ONE_EXPECTED = re.compile(r"(AT\d{3}):(\d+)\s*(.*)")
_LISTED = re.compile(r"(\S+):(\d+):(\d+) (AT\d{3})\s*(.*)")


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding that a case must give."""

    path: str
    line: int
    column: int
    code: str
    words: str


@dataclass
class Case:
    """A small project and all the findings that it must give, of the codes that it is about."""

    file: str
    title: str
    line: int
    code: str
    files: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    fixed: dict[str, str] = field(default_factory=dict)

    @property
    def codes(self) -> set[str]:
        return {self.code} | {expected.code for expected in self.expected}

    @property
    def id(self) -> str:
        return f"{self.file}:{self.line} {self.title}"


class MalformedCase(Exception):  # noqa: N818  # read as a sentence
    """A case file that is not written as it must be."""


def load_cases(path: Path) -> list[Case]:
    """The cases of one file."""
    code = path.stem
    cases: list[Case] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    position = 0
    while position < len(lines):
        line = lines[position]
        fence = _FENCE.match(line)
        if line.startswith("## "):
            cases.append(Case(path.stem, line[3:].strip(), position + 1, code))
        elif fence:
            end = next((at for at in range(position + 1, len(lines)) if lines[at] == "```"), None)
            if end is None:
                raise MalformedCase(f"{path.name}:{position + 1}: the block is never closed")
            if not cases:
                raise MalformedCase(f"{path.name}:{position + 1}: the block stands before the first title")
            _add_block(cases[-1], fence.group(1), fence.group(2).strip(), lines[position + 1 : end])
            position = end
        position += 1
    for case in cases:
        if not case.files:
            raise MalformedCase(f"{path.name}:{case.line}: the case has no code")
    return cases


def _add_block(case: Case, language: str, name: str, lines: list[str]) -> None:
    if language == "options":
        case.options += [line for line in lines if line.strip()]
        return
    if language == "expect":
        for line in lines:
            listed = _LISTED.fullmatch(line.strip())
            if listed is None:
                raise MalformedCase(f"{case.id}: cannot read {line!r}")
            path, number, column, code, words = listed.groups()
            case.expected.append(Expected(path, int(number), int(column), code, words.strip()))
        return
    name = name or "test_example.py"
    if language == "fixed":
        if name not in case.files:
            raise MalformedCase(f"{case.id}: {name} is fixed before it is there")
        case.fixed[name] = "".join(f"{line}\n" for line in lines)
        return
    if name in case.files:
        raise MalformedCase(f"{case.id}: {name} is there twice")
    case.files[name] = "".join(f"{line}\n" for line in lines)
    if name.endswith(".py"):
        for number, line in enumerate(lines, start=1):
            case.expected += _expected_on(case, name, number, line)


def _expected_on(case: Case, name: str, number: int, line: str) -> list[Expected]:
    comment = _EXPECTED.search(line)
    if comment is None:
        return []
    found = []
    for text in comment.group(1).split(";;"):
        one = _ONE_EXPECTED.fullmatch(text.strip())
        if one is None:
            raise MalformedCase(f"{case.id}: cannot read {text!r}")
        found.append(Expected(name, number, int(one.group(2)), one.group(1), one.group(3).strip()))
    return found
