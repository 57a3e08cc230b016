"""pytest marks, wherever they are written."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.record import record
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.decorators import MARK, mark_of_project

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

RUNNING_MARKS = ("asyncio", "anyio", "trio")

OTHER_RUNNING_MARKS = ("alt_asyncio", "asyncio_cooperative", "curio", "gen_test", "twisted")
"""Those of plugins that this tool knows no more of than that they run what is marked so."""

# The methods of a list that put their last argument, or what is in it, into the list.
_ADDING = frozenset({"append", "extend", "insert"})


@record
class Mark:
    """One mark: the place where it is applied, its name and, when it was called, the call."""

    name: str
    node: ast.expr
    call: ast.Call | None

    @property
    def has_arguments(self) -> bool:
        return self.call is not None and bool(self.call.args or self.call.keywords)


class Marks:
    """Several marks, and whether they are all that apply."""

    __slots__ = ("_groups", "complete")

    def __init__(self, marks: Iterable[Mark] = (), *, complete: bool = True) -> None:
        self.complete = complete
        # Each group stays as it is in all the sums that it is a part of, by name: what a module says to its tests
        # is neither copied nor looked through for each of them.
        by_name: dict[str, list[Mark]] = {}
        for mark in marks:
            by_name.setdefault(mark.name, []).append(mark)
        self._groups: tuple[dict[str, list[Mark]], ...] = (by_name,) if by_name else ()

    def __add__(self, other: Marks) -> Marks:
        if not other._groups and other.complete:
            return self
        if not self._groups and self.complete:
            return other
        found = Marks(complete=self.complete and other.complete)
        found._groups = self._groups + other._groups
        return found

    @property
    def marks(self) -> list[Mark]:
        return [mark for group in self._groups for marks in group.values() for mark in marks]

    def named(self, *names: str) -> list[Mark]:
        """Those of these names; of the marks that stand together in the order of the names."""
        return [mark for group in self._groups for name in names for mark in group.get(name, ())]

    def has(self, *names: str) -> bool:
        return any(name in group for group in self._groups for name in names)


NO_MARKS = Marks()


def mark_of(module: Module, node: ast.expr, scope: Scope) -> Mark | None:
    """The mark that an expression is, possibly through a name (`slow = pytest.mark.slow`), or None."""
    value = module.value_of(node, scope) if node.__class__ is ast.Name else node
    call = value if isinstance(value, ast.Call) else None
    name = module.qualified(call.func if call else node, scope)
    if name and call is None:
        name, call = mark_of_project(module, name)
    if not name.startswith(MARK):
        return None
    return Mark(name[len(MARK) :].partition(".")[0], node, call)


def marks_in_values(module: Module, nodes: Iterable[ast.expr], scope: Scope) -> Marks:
    """The marks in the values of `pytestmark`s: each one mark, or lists and tuples of them."""
    found: list[Mark] = []
    complete = True
    for node in nodes:
        complete &= _add_marks_in(module, node, scope, found)
    return Marks(found, complete=complete)


def _add_marks_in(module: Module, node: ast.expr, scope: Scope, found: list[Mark]) -> bool:
    """Add the marks of one value; say whether these are all."""
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
    return complete


def marks_of_parameters(module: Module, node: ast.expr, scope: Scope) -> Marks:
    """The marks of the `pytest.param(..., marks=...)` in an expression, or in what its names stand for."""
    if "marks" not in module.text:
        return NO_MARKS
    found: list[ast.expr] = []
    entered: set[ast.AST] = set()
    todo = [node]
    while todo:
        for part in ast.walk(todo.pop()):
            if isinstance(part, ast.Call) and isinstance(part.func, (ast.Attribute, ast.Name)):
                marks = keyword_value(part, "marks")
                if marks is not None:
                    # One set's mark is no mark of the others: it only tells that one is there.
                    found.append(marks)
            elif isinstance(part, ast.Name):
                value = module.value_of(part, scope)
                if value is not part and value not in entered:
                    entered.add(value)
                    todo.append(value)
    return marks_in_values(module, found, scope) if found else NO_MARKS


def pytestmarks_of(module: Module, scope: Scope) -> Marks:
    """What the assignments to `pytestmark` in a module or class body say."""
    if "pytestmark" not in scope.bindings:
        return NO_MARKS
    assigned: list[ast.expr] = []
    added: list[ast.expr] = []
    understood = 0
    unconditional = set(scope.body())
    for node in scope.of(ast.Assign, ast.AnnAssign, ast.AugAssign):
        assert isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
        if _assigns_pytestmark(node) and node.value is not None:
            if isinstance(node, ast.AugAssign):
                added.append(node.value)
            else:
                if node in unconditional:
                    # Whatever was assigned before is gone.
                    assigned.clear()
                    added.clear()
                assigned.append(node.value)
            understood += 1
    for call in scope.of(ast.Call):
        assert isinstance(call, ast.Call)
        method = _method_of_pytestmark(call)
        if method in _ADDING and call.args:
            added.append(call.args[-1])
        elif method:
            understood = -1
    # Imported, or bound in another way than by an assignment: marks that cannot be seen.
    is_understood = understood == len(scope.bindings["pytestmark"])
    is_understood &= not module.names.may_be_starred_over("pytestmark", scope)
    alternatives = [marks_in_values(module, [value], scope) for value in assigned]
    return _one_of(alternatives, module) + marks_in_values(module, added, scope) + Marks(complete=is_understood)


def running_marks(module: Module) -> tuple[str, ...]:
    """The marks that may run what gets them."""
    return (*RUNNING_MARKS, *OTHER_RUNNING_MARKS, *module.options.marks)


def _one_of(alternatives: list[Marks], module: Module) -> Marks:
    """What holds whichever of several marks there are: where two of them would run tests differently, neither."""
    found = sum(alternatives, NO_MARKS)
    running = [marks for marks in alternatives if marks.has(*running_marks(module))]
    disputed = {
        name for name in running_marks(module) if found.has(name) and not all(marks.has(name) for marks in running)
    }
    if not disputed:
        return found
    return Marks([mark for mark in found.marks if mark.name not in disputed], complete=False)


def _method_of_pytestmark(call: ast.Call) -> str:
    """`append` in `pytestmark.append(mark)`, "" in every other call."""
    method = call.func
    return method.attr if isinstance(method, ast.Attribute) and _is_pytestmark(method.value) else ""


def _assigns_pytestmark(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
    targets: Iterable[ast.expr] = node.targets if isinstance(node, ast.Assign) else (node.target,)
    return any(map(_is_pytestmark, targets))


def _is_pytestmark(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "pytestmark"
