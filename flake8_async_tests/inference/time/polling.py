"""Loops that wait for something by sleeping again and again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import nodes_of, scopes_around
from flake8_async_tests.inference.places.suspension import suspends
from flake8_async_tests.inference.replacing.mock_values import RECORDS
from flake8_async_tests.inference.tasks.caught_cancellations import has_limit
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


# Methods that a loop may call in passing: they neither raise nor wait.
_HARMLESS = frozenset({"add", "append", "clear", "debug", "discard", "info", "set", "warning"})
_EXITS = (ast.Break, ast.Raise, ast.Return)


@record
class PollingLoop:
    """A `while` loop that waits by nothing but a sleep, until somebody else does something."""

    node: ast.While
    scope: Scope
    sleeps: frozenset[str]
    """The qualified names of what it awaits."""
    conditions: frozenset[str]
    """The names that its conditions read."""


@record
class FunctionsLoops:
    """The polling loops of a function, in the order of the file: those in itself, and in what is nested in it."""

    own: list[PollingLoop]
    nested: list[PollingLoop]

    @property
    def are_there(self) -> bool:
        return bool(self.own or self.nested)


def polling_loops(module: Module, scope: Scope) -> FunctionsLoops:
    """The polling loops of a function and of coroutines nested in it."""
    return module.fact(_polling_loops).get(scope) or FunctionsLoops([], [])


def _polling_loops(module: Module) -> dict[Scope, FunctionsLoops]:
    found: dict[Scope, FunctionsLoops] = {}
    for node, scope in module.of_kind(ast.While):
        sleeps = _sleeps_of(module, node, scope)
        if sleeps and not _may_end_by_itself(module, node, scope):
            loop = PollingLoop(node, scope, sleeps, frozenset(_names_that_end(node)))
            for around in scopes_around(scope):
                loops = found.setdefault(around, FunctionsLoops([], []))
                (loops.own if around is scope else loops.nested).append(loop)
    return found


def _names_that_end(loop: ast.While) -> set[str]:
    """The names that a loop's conditions read."""
    return {node.id for test in _conditions(loop) for node in nodes_of([test]) if isinstance(node, ast.Name)}


def waits_by(module: Module, loop: ast.While, scope: Scope, sleep: str) -> bool:
    """Whether a loop awaits a sleep, beside whatever else."""
    return any(
        isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and module.qualified(node.value.func, scope) == sleep
        for node in nodes_of(loop.body)
    )


def _sleeps_of(module: Module, loop: ast.While, scope: Scope) -> frozenset[str]:
    """What a loop awaits, by qualified names; nothing when it awaits something else than calls of attributes."""
    names: set[str] = set()
    for wait in (node for node in nodes_of([loop.test, *loop.body]) if suspends(node)):
        call = wait.value if isinstance(wait, ast.Await) else None
        # A name that was imported before is not replaced in its module.
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return frozenset()
        names.add(module.qualified(call.func, scope))
    return frozenset(names)


def _may_end_by_itself(module: Module, loop: ast.While, scope: Scope) -> bool:
    body = list(nodes_of(loop.body))
    awaited = {node.value for node in body if isinstance(node, ast.Await)}
    if any(isinstance(node, ast.Call) and node not in awaited and not _is_harmless(node) for node in body):
        return True
    if isinstance(loop.test, ast.Constant) and not any(isinstance(node, _EXITS) for node in body):
        return False
    conditions = [node for test in _conditions(loop) for node in nodes_of([test])]
    if any(isinstance(node, ast.NamedExpr) or _is_reached(module, node, scope) for node in conditions):
        return True
    return bool(_changed_in(body) & _names_that_end(loop))


def _is_reached(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a comparison is with a limit that comes by itself: a time, not a count of what others add or take.

    Names that the loop itself changes are another matter.
    """
    if not has_limit(node):
        return False
    assert isinstance(node, ast.Compare)
    return not all(
        isinstance(side, (ast.Constant, ast.Name)) or _is_length(module, side, scope)
        for side in (node.left, *node.comparators)
    )


def _is_length(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether it is `len(orders)` or `len(client.orders)`, and not that of what a mock keeps of its calls."""
    if not isinstance(node, ast.Call) or module.qualified(node.func, scope) != "builtins.len":
        return False
    return all(
        isinstance(argument, ast.Name) or (isinstance(argument, ast.Attribute) and argument.attr not in RECORDS)
        for argument in node.args
    )


def _changed_in(body: list[ast.AST]) -> set[str]:
    """The names that are bound anew, and those whose methods are called."""
    changed = {node.id for node in body if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    called = [node.func.value for node in body if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return changed | {each.id for each in called if isinstance(each, ast.Name)}


def _conditions(loop: ast.While) -> list[ast.expr]:
    return [loop.test, *(node.test for node in nodes_of(loop.body) if isinstance(node, ast.If))]


def _is_harmless(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _HARMLESS
