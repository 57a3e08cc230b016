"""Loops that wait for something by sleeping again and again."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.cancellations import has_limit
from flake8_async_tests.inference.places import nodes_of
from flake8_async_tests.inference.suspension import suspends

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


# Methods that a loop may call in passing: they neither raise nor wait.
_HARMLESS = frozenset({"add", "append", "clear", "debug", "discard", "info", "set", "warning"})
_EXITS = (ast.Break, ast.Raise, ast.Return)


def polling_loops(module: Module, scope: Scope, sleeps: Collection[str]) -> Iterator[tuple[ast.While, Scope]]:
    """The `while` loops of a function, and of coroutines nested in it, that wait by nothing but one of these sleeps.

    What ends them is somebody else's doing: they count nothing and do nothing that could raise.
    """
    inside = set(module.scopes_within(scope))
    for loop, inner in module.of_kind(ast.While):
        if inner in inside and _only_sleeps(module, loop, inner, sleeps) and not _may_end_by_itself(loop):
            yield loop, inner


def names_that_end(loop: ast.While) -> set[str]:
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


def _only_sleeps(module: Module, loop: ast.While, scope: Scope, sleeps: Collection[str]) -> bool:
    waits = [node for node in nodes_of([loop.test, *loop.body]) if suspends(node)]
    return bool(waits) and all(
        isinstance(wait, ast.Await)
        and isinstance(wait.value, ast.Call)
        # A name that was imported before is not replaced in its module.
        and isinstance(wait.value.func, ast.Attribute)
        and module.qualified(wait.value.func, scope) in sleeps
        for wait in waits
    )


def _may_end_by_itself(loop: ast.While) -> bool:
    body = list(nodes_of(loop.body))
    if any(isinstance(node, ast.Call) and not _is_harmless(node) for node in body):
        return True
    if isinstance(loop.test, ast.Constant) and not any(isinstance(node, _EXITS) for node in body):
        return False
    conditions = [node for test in _conditions(loop) for node in nodes_of([test])]
    if any(has_limit(node) or isinstance(node, ast.NamedExpr) for node in conditions):
        return True
    stored = {node.id for node in body if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return bool(stored & names_that_end(loop))


def _conditions(loop: ast.While) -> list[ast.expr]:
    return [loop.test, *(node.test for node in nodes_of(loop.body) if isinstance(node, ast.If))]


def _is_harmless(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _HARMLESS | {"sleep"}
