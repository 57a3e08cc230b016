"""Whether a coroutine gives the event loop a chance between two of its statements."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import RAISING, contexts_around, end_of, entered_by, place_of

if TYPE_CHECKING:
    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_SUSPENDING = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
_LOOPS = (ast.While, ast.For, ast.AsyncFor)


def suspends(node: ast.AST) -> bool:
    """Whether a node is a point at which the coroutine that it stands in may be suspended."""
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    return isinstance(node, _SUSPENDING)


def runs_straight(module: Module, first: ast.stmt, then: ast.stmt, scope: Scope) -> bool:
    """Whether a later statement is reached from one for certain, and without a suspension on the way or in it.

    Reached for certain: it stands behind it in the same block, or there further down in blocks that are no loops.
    """
    if is_suspended_between(module, first, then, scope):
        return False
    parents = scope.parents
    at: ast.AST = then
    while parents[at] is not parents[first]:
        at = parents[at]
        if at is scope.node or isinstance(at, _LOOPS):
            return False
    return isinstance(at, ast.stmt) and block_of(at, scope) is block_of(first, scope) and place_of(at) >= end_of(first)


def is_suspended_between(module: Module, first: ast.AST, then: ast.AST, scope: Scope) -> bool:
    """Whether a scope may be suspended behind one of its nodes, before it has come through a later one."""
    places = _suspensions_of(module, scope)
    return bisect_right(places, end_of(first)) != bisect_left(places, end_of(then))


def is_last_to_raise(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a node itself is to raise something: it stands under `pytest.raises`, and nothing awaits after it."""
    for name, context in contexts_around(module, node, scope):
        if name in RAISING:
            block = entered_by(module, context)
            return block is None or not is_suspended_between(module, node, block, scope)
    return False


def _suspensions_by_scope(_: Module) -> dict[Scope, list[Place]]:  # filled on demand
    return {}


def _suspensions_of(module: Module, scope: Scope) -> list[Place]:
    """The places in order at which a scope may be suspended."""
    by_scope = module.fact(_suspensions_by_scope)
    found = by_scope.get(scope)
    if found is None:
        found = by_scope[scope] = sorted(_place(node) for node in scope.nodes if suspends(node))
    return found


def _place(node: ast.AST) -> Place:
    return place_of(node.target if isinstance(node, ast.comprehension) else node)


def block_of(statement: ast.stmt, scope: Scope) -> list[ast.stmt]:
    """The statements among which one stands."""
    fields = (value for _, value in ast.iter_fields(scope.parents[statement]))
    blocks = [value for value in fields if isinstance(value, list) and value and isinstance(value[0], ast.stmt)]
    return next(block for block in blocks if block[position_in(block, statement)] is statement)


def position_in(block: list[ast.stmt], statement: ast.stmt) -> int:
    """Where a statement stands in its block; in another one, where it comes nearest."""
    return min(bisect_left(block, place_of(statement), key=place_of), len(block) - 1)


def next_statement(statement: ast.stmt, scope: Scope) -> ast.stmt | None:
    """What follows a statement in its block."""
    block = block_of(statement, scope)
    position = position_in(block, statement) + 1
    return block[position] if position < len(block) else None


def previous_statement(statement: ast.stmt, scope: Scope) -> ast.stmt | None:
    """What a statement follows in its block."""
    block = block_of(statement, scope)
    position = position_in(block, statement)
    return block[position - 1] if position else None


def statement_of(node: ast.AST, scope: Scope) -> ast.stmt:
    """The statement that a node stands in, or is."""
    while not isinstance(node, ast.stmt):
        node = scope.parents[node]
    return node
