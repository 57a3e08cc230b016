"""What a rule is and what it may say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Literal

from flake8_async_tests.lazy import lazy
from flake8_async_tests.record import record, unique_record

if TYPE_CHECKING:
    import ast

    from flake8_async_tests.source.module import Module


class Knows(Enum):
    """What a rule has to look at beyond the file that it speaks of."""

    FILE = "file"
    CONFIG = "config"
    PROJECT = "project"


Place = tuple[int, int]
"""A line, counted from 1, and a column in bytes of UTF-8, as the tree has them."""


@record
class Edit:
    """One change of a file's text: what stands between two places gives way to other text."""

    start: Place
    end: Place
    text: str


@record
class Import:
    """An import that new text needs: `import module`, or `from module import name`."""

    module: str
    name: str = ""


@record
class Fix:
    """How a finding can be mended: all of its edits together, or none."""

    edits: tuple[Edit, ...]
    safe: bool
    """Whether the program means the same afterwards."""
    imports: tuple[Import, ...] = ()


@record
class Finding:
    """One report: the node it points at and the message for the reader."""

    node: ast.expr | ast.stmt | ast.excepthandler | ast.arg | ast.keyword | ast.alias | FirstLine
    message: str
    fix: Fix | None = None
    about: ast.stmt | None = None
    """What it is about, where code that never runs says something of more than itself: a `yield` makes a generator."""

    @property
    def printable(self) -> str:
        """The message as one line of text that can be printed: the names and paths in it may hold anything."""
        if self.message.isprintable():
            return self.message
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in self.message)


@record
class FirstLine:
    """The place of a finding that is about the whole file, or about the project around it."""

    lineno: int = 1
    col_offset: int = 0


_MOST_SHOWN = 60


def brief(value: object) -> str:
    """A literal as a message shows it, cut off where it would only bore."""
    try:
        text = repr(value)
    except ValueError:
        # Python writes out no number of more than 4300 digits.
        return "..."
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


Check = Callable[["Module"], Iterator[Finding]]

FIRST_VERSION = "0.1.0"

FixKind = Literal["", "safe", "unsafe"]
"""What fixes a rule offers for some of its findings at least, if any."""


@unique_record
class Rule:
    """A rule's metadata and its one function, which is a pure function of facts."""

    code: str
    name: str
    knows: Knows
    check: Check
    fix: FixKind = ""
    since: str = FIRST_VERSION
    calls: frozenset[str] = frozenset()
    """The last words of calls without which it has nothing to say of a file: of most rules only few are in a file.

    A rule without any may have something to say of every file.
    """

    @lazy
    def opt_in(self) -> bool:
        """Whether the rule is off until a user asks for it by its family or code."""
        return self.code.startswith("AT9")

    @lazy
    def speaks_of_configuration(self) -> bool:
        """Whether a file is only the place where it reports, whatever stands in it."""
        return self.code.startswith("AT8")


def rule(
    code: str,
    name: str,
    *,
    knows: Knows,
    fix: FixKind = "",
    since: str = FIRST_VERSION,
    calls: Iterable[str] = (),
) -> Callable[[Check], Rule]:
    """Make a rule of the decorated check; `since` is the version of this package that brought it.

    Where it needs one of some calls to have anything to say, `calls` names them, qualified or by their methods.
    """
    words = frozenset(name.rpartition(".")[2] for name in calls)

    def decorate(check: Check) -> Rule:
        return Rule(code, name, knows, check, fix, since, words)

    return decorate
