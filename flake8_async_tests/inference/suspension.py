"""Whether a coroutine gives the event loop a chance between two of its statements."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places import end_of, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.walk import Scope

_SUSPENDING = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
_LOOPS = (ast.While, ast.For, ast.AsyncFor)


def suspends(node: ast.AST) -> bool:
    """Whether a node is a point at which the coroutine that it stands in may be suspended."""
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    return isinstance(node, _SUSPENDING)


def runs_straight(first: ast.stmt, then: ast.stmt, scope: Scope) -> bool:
    """Whether a later statement is reached from one for certain, and without a suspension on the way or in it.

    Reached for certain: it stands behind it in the same block, or there further down in blocks that are no loops.
    """
    parents = scope.parents
    at: ast.AST = then
    while parents[at] is not parents[first]:
        at = parents[at]
        if at is scope.node or isinstance(at, _LOOPS):
            return False
    if at not in block_of(first, scope) or place_of(at) < end_of(first):
        return False
    begin, end = end_of(first), end_of(then)
    return not any(begin < _place(node) < end for node in scope.nodes if suspends(node))


def _place(node: ast.AST) -> tuple[int, int]:
    return place_of(node.target if isinstance(node, ast.comprehension) else node)


def block_of(statement: ast.stmt, scope: Scope) -> list[ast.stmt]:
    """The statements among which one stands."""
    fields = (value for _, value in ast.iter_fields(scope.parents[statement]))
    return next(value for value in fields if isinstance(value, list) and statement in value)


def next_statement(statement: ast.stmt, scope: Scope) -> ast.stmt | None:
    """What follows a statement in its block."""
    block = block_of(statement, scope)
    position = block.index(statement) + 1
    return block[position] if position < len(block) else None


def statements_after(statement: ast.stmt, scope: Scope) -> Iterator[ast.stmt]:
    """What follows a statement: in its block, then in the blocks around."""
    at: ast.AST = statement
    while at is not scope.node:
        if isinstance(at, ast.stmt):
            block = block_of(at, scope)
            yield from block[block.index(at) + 1 :]
        at = scope.parents[at]


def statement_of(node: ast.AST, scope: Scope) -> ast.stmt:
    """The statement that a node stands in, or is."""
    while not isinstance(node, ast.stmt):
        node = scope.parents[node]
    return node
