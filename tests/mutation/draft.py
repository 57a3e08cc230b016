"""A mutant in the making: changes of a file's text at places of its tree, as somebody would have written them."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutation.source import FUNCTIONS, FunctionNode, Placed, names_bound_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.mutation.reading import Reading

HERE = "\ue000"
"""Stands in new text before the node at which the finding is expected; it is taken out again."""


class ImpossibleError(Exception):
    """The text at hand does not allow the change: several statements on a line, a name that means something else."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file with a pitfall planted, and the finding that it must give."""

    code: str
    path: Path
    text: str
    line: int
    column: int
    doubt: str = ""
    """Why the catalogue leaves open whether it is reported; "" when it is decidable."""
    instead: tuple[str, ...] = ()
    """Codes that the catalogue names as telling in its place, on the same node."""
    around: Mapping[Path, str] = field(default_factory=dict)
    """Other files that were changed with it."""
    mutator: str = ""

    @property
    def is_decidable(self) -> bool:
        return not self.doubt


class Draft:
    """Collects changes. Several at one place stand in the order in which they were made."""

    def __init__(self, reading: Reading, code: str) -> None:
        self.reading = reading
        self.source = reading.source
        self.code = code
        self.doubt = ""
        """Why the catalogue leaves open whether the mutant is reported; "" when it is decidable."""
        self.instead: tuple[str, ...] = ()
        self.around: dict[Path, str] = {}
        """Other files, as they are around the mutant."""
        self._changes: list[tuple[int, int, str]] = []
        self._new_imports: dict[str, str] = {}

    def doubt_because(self, reason: str) -> None:
        """Note a reason for which it is left open; the first one counts, and "" is none."""
        self.doubt = self.doubt or reason

    # -- changes ------------------------------------------------------------------------------------------------------

    def span(self, start: int, end: int, text: str) -> None:
        self._changes.append((start, end, text))

    def insert(self, at: int, text: str) -> None:
        self.span(at, at, text)

    def replace(self, node: Placed, text: str) -> None:
        self.span(self.source.start(node), self.source.end(node), text)

    def expect(self, node: Placed) -> None:
        """Say that the finding stands at a node of the file as it was."""
        self.insert(self.source.start(node), HERE)

    def before(self, statement: ast.stmt, *lines: str) -> None:
        """Put lines above a statement, indented like it."""
        indent = self._indent(statement)
        self.insert(self.source.line_start(_first_line(statement)), _indented(indent, lines))

    def after(self, statement: ast.stmt, *lines: str) -> None:
        """Put lines below a statement, indented like it."""
        indent = self._indent(statement)
        if not self.source.ends_its_line(statement):
            raise ImpossibleError
        assert statement.end_lineno is not None
        at = self.source.line_start(statement.end_lineno + 1)
        newline = "" if self.source.text[:at].endswith("\n") else "\n"
        self.insert(at, newline + _indented(indent, lines))

    def first_in(self, function: FunctionNode, *lines: str) -> None:
        """Put lines at the beginning of a function's body, after its docstring."""
        if ast.get_docstring(function, clean=False) is None:
            self.before(function.body[0], *lines)
        else:
            self.after(function.body[0], *lines)

    def last_in(self, function: FunctionNode | ast.ClassDef, *lines: str) -> None:
        """Put lines at the end of a body, where the end can be reached."""
        last = function.body[-1]
        if isinstance(last, (ast.Return, ast.Raise)):
            raise ImpossibleError
        self.after(last, *lines)

    def at_the_end(self, *lines: str) -> None:
        """Put lines at the end of the file."""
        text = self.source.text
        newline = "" if not text or text.endswith("\n") else "\n"
        self.insert(len(text), newline + "\n\n" + "".join(f"{line}\n" for line in lines))

    def above_definitions(self, *lines: str) -> None:
        """Put lines behind the imports at the top of the file."""
        self.insert(self._behind_imports(), "".join(f"{line}\n" for line in lines))

    def remove(self, statement: ast.stmt) -> None:
        """Take a statement out, with its lines; `pass` stays where it was the only one."""
        self._indent(statement)
        if not self.source.ends_its_line(statement):
            raise ImpossibleError
        if len(self.source.block_of(statement)) == 1:
            self.replace(statement, "pass")
            return
        assert statement.end_lineno is not None
        self.span(self.source.line_start(statement.lineno), self.source.line_start(statement.end_lineno + 1), "")

    def remove_decorator(self, decorator: ast.expr) -> None:
        source = self.source
        start, end = source.line_start(decorator.lineno), source.line_start((decorator.end_lineno or 0) + 1)
        line = source.text[start:end].strip()
        if not line.startswith("@") or line != f"@{source.text_of(decorator)}":
            raise ImpossibleError
        self.span(start, end, "")

    def drop_await(self, node: ast.Await) -> None:
        """`await work()` becomes `work()`."""
        start = self.source.start(node)
        end = start + len("await")
        while self.source.text[end] in " \t":
            end += 1
        self.span(start, end, "")

    def wrap(self, first: ast.stmt, last: ast.stmt, *heads: str) -> None:
        """Put statements one level deeper, under new lines."""
        indent = self._indent(first)
        if not self.source.ends_its_line(last):
            raise ImpossibleError
        self.insert(self.source.line_start(_first_line(first)), _indented(indent, heads))
        self._shift(_first_line(first), last, "    ")

    def deepen(self, statement: ast.stmt) -> None:
        """Put a statement one level deeper, into the block that ends above it; its decorators stay where they are."""
        self._indent(statement)
        self._shift(statement.lineno, statement, "    ")

    def unwrap(self, block: ast.With | ast.AsyncWith, head: str) -> None:
        """Put a line in the place of a `with`, and its body at its own level."""
        indent = self._indent(block)
        inner = self._indent(block.body[0])
        if not self.source.ends_its_line(block):
            raise ImpossibleError
        start, end = self.source.line_start(block.lineno), self.source.line_start(_first_line(block.body[0]))
        self.span(start, end, f"{indent}{head}\n")
        self._shift(_first_line(block.body[0]), block.body[-1], "", cut=len(inner) - len(indent))

    def _shift(self, first: int, last: ast.stmt, prefix: str, cut: int = 0) -> None:
        source = self.source
        within = range(first, (last.end_lineno or 0) + 1)
        for node in (*source.of(ast.Constant), *source.of(ast.JoinedStr)):
            if node.end_lineno != node.lineno and node.lineno in within:
                # A text over several lines would change with its indentation.
                raise ImpossibleError
        for line in within:
            text = source.lines[line - 1]
            if text.strip():
                if text[:cut].strip():
                    raise ImpossibleError
                start = source.line_start(line)
                self.span(start, start + cut, prefix)

    def _indent(self, statement: ast.stmt) -> str:
        indent = self.source.indent(statement)
        if indent is None:
            raise ImpossibleError
        return indent

    # -- names --------------------------------------------------------------------------------------------------------

    def name(self, dotted: str) -> str:
        """How a thing can be written here. An import is added where there is none: `asyncio.sleep` needs
        `import asyncio`, `unittest.mock:AsyncMock` needs `from unittest.mock import AsyncMock`.
        """
        source = self.source
        full = dotted.replace(":", ".")
        for local, meaning in sorted(source.imported.items(), key=lambda item: -len(item[1])):
            if full == meaning or full.startswith(f"{meaning}."):
                first = (
                    next(node for node in source.tree.body if local in _bound(node))
                    if local in source.top_level
                    else None
                )
                if first is not None and not isinstance(first, ast.If):
                    return local + full[len(meaning) :]
        module, _, rest = dotted.rpartition(":")
        new = (rest if module else dotted).partition(".")[0]
        if source.bindings[new] or source.has_star_import:
            raise ImpossibleError
        self._new_imports.setdefault(new, f"from {module} import {new}" if module else f"import {new}")
        return rest

    def new_name(self, name: str) -> str:
        """A name that the file does not use; the one asked for."""
        if name in self.source.bindings or f" {name}" in self.source.text:
            raise ImpossibleError
        return name

    def _behind_imports(self) -> int:
        """Behind the first imports of the file, and behind all that must come before any other import."""
        line = 1
        for number, statement in enumerate(self.source.tree.body):
            is_import = isinstance(statement, (ast.Import, ast.ImportFrom))
            is_docstring = number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not is_import and not is_docstring:
                break
            line = (statement.end_lineno or 0) + 1
        return self.source.line_start(line)

    # -- the result ---------------------------------------------------------------------------------------------------

    def compose(self) -> Mutant | None:
        """The mutant; None when its changes do not go together."""
        if self._new_imports:
            lines = "".join(f"{line}\n" for line in self._new_imports.values())
            self._changes.insert(0, (self._behind_imports(), self._behind_imports(), lines))
        text = self.source.text
        parts: list[str] = []
        done = 0
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            if start < done:
                return None
            parts += (text[done:start], new)
            done = end
        changed = "".join((*parts, text[done:]))
        before, found, after = changed.partition(HERE)
        assert found, f"{self.code} says nowhere where the finding is expected"
        changed = before + after
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        return Mutant(self.code, Path(self.source.path), changed, line, column, self.doubt, self.instead, self.around)


def _indented(indent: str, lines: Iterable[str]) -> str:
    return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def program(text: str) -> ast.Module | None:
    """The tree of a text; None when it is no program. That it parses is not enough: so does an await anywhere."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            compile(tree, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return tree


def _bound(node: ast.AST) -> set[str]:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return set(names_bound_by(node))
    return {name for each in ast.walk(node) for name in names_bound_by(each)}
