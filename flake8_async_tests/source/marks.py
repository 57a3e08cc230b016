"""pytest marks, wherever they are written."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_async_tests.source.decorators import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

RUNNING_MARKS = ("asyncio", "anyio", "trio")

OTHER_RUNNING_MARKS = ("alt_asyncio", "asyncio_cooperative", "curio", "gen_test", "twisted")
"""Those of plugins that this tool knows no more of than that they run what is marked so."""

# The methods of a list that put their last argument, or what is in it, into the list.
_ADDING = frozenset({"append", "extend", "insert"})


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: the place where it is applied, its name and, when it was called, the call."""

    name: str
    node: ast.expr
    call: ast.Call | None

    @property
    def has_arguments(self) -> bool:
        return self.call is not None and bool(self.call.args or self.call.keywords)


@dataclass(frozen=True, slots=True)
class Marks:
    """Several marks, and whether they are all that apply."""

    marks: tuple[Mark, ...] = ()
    complete: bool = True

    def __add__(self, other: Marks) -> Marks:
        if not other.marks and other.complete:
            return self
        if not self.marks and self.complete:
            return other
        return Marks(self.marks + other.marks, self.complete and other.complete)

    def named(self, *names: str) -> list[Mark]:
        return [mark for mark in self.marks if mark.name in names]

    def has(self, *names: str) -> bool:
        return any(mark.name in names for mark in self.marks)


NO_MARKS = Marks()


def mark_of(module: Module, node: ast.expr, scope: Scope) -> Mark | None:
    """The mark that an expression is, possibly through a name (`slow = pytest.mark.slow`), or None."""
    value = module.value_of(node, scope) if node.__class__ is ast.Name else node
    call = value if isinstance(value, ast.Call) else None
    name = module.qualified(call.func if call else node, scope)
    if not name.startswith(MARK):
        return None
    return Mark(name[len(MARK) :].partition(".")[0], node, call)


def marks_in_value(module: Module, node: ast.expr, scope: Scope) -> Marks:
    """The marks in the value of a `pytestmark`: one mark, or lists and tuples of them."""
    found: list[Mark] = []
    complete = True
    entered: set[ast.expr] = set()
    todo = [node]
    while todo:
        part = todo.pop()
        part = part.value if isinstance(part, ast.Starred) else part
        value = module.value_of(part, scope)
        mark = mark_of(module, part, scope)
        if mark is not None:
            found.append(mark)
        elif value in entered:
            # `marks = [*marks, more]`: what it was before cannot be seen.
            complete = False
        elif isinstance(value, (ast.List, ast.Tuple)):
            entered.add(value)
            todo += reversed(value.elts)
        elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            entered.add(value)
            todo += (value.right, value.left)
        else:
            complete = False
    return Marks(tuple(found), complete)


def pytestmarks_of(module: Module, scope: Scope) -> Marks:
    """What the assignments to `pytestmark` in a module or class body say."""
    if "pytestmark" not in scope.bindings:
        return NO_MARKS
    found = NO_MARKS
    understood = 0
    for node in scope.of(ast.Assign, ast.AnnAssign, ast.AugAssign):
        assert isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
        if _assigns_pytestmark(node) and node.value is not None:
            found += marks_in_value(module, node.value, scope)
            understood += 1
    for call in scope.of(ast.Call):
        assert isinstance(call, ast.Call)
        method = _method_of_pytestmark(call)
        if method in _ADDING and call.args:
            found += marks_in_value(module, call.args[-1], scope)
        elif method:
            found += Marks((), complete=False)
    # Imported, or bound in another way than by an assignment: marks that cannot be seen.
    if understood != len(scope.bindings["pytestmark"]):
        found += Marks((), complete=False)
    return found


def _method_of_pytestmark(call: ast.Call) -> str:
    """`append` in `pytestmark.append(mark)`, "" in every other call."""
    method = call.func
    return method.attr if isinstance(method, ast.Attribute) and _is_pytestmark(method.value) else ""


def _assigns_pytestmark(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
    targets: Iterable[ast.expr] = node.targets if isinstance(node, ast.Assign) else (node.target,)
    return any(map(_is_pytestmark, targets))


def _is_pytestmark(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "pytestmark"
