"""Whether a definition is still what its name means once the body that it stands in has run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.walk import FunctionNode, Scope

    _Block: TypeAlias = tuple[ast.AST, str]

# A name that is bound more often than this is not worth the search.
_MOST_BINDINGS = 50


def is_replaced(definition: FunctionNode | ast.ClassDef, scope: Scope) -> bool:
    """Whether a name certainly means something else in the end, or something that cannot be told."""
    bindings = scope.bindings[definition.name]
    if len(bindings) == 1:
        return False
    if len(bindings) > _MOST_BINDINGS:
        return True
    place = _place(definition)
    around = set(_blocks_around(definition, scope))
    for binding in bindings:
        if _place(binding) <= place:
            continue
        # An assignment gives it a value of its own (`test_it = mark(test_it)`); `del` leaves nothing of it.
        if not isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return True
        # A later definition in another branch may be the one that is passed over.
        if next(_blocks_around(binding, scope)) in around:
            return True
    return False


def _blocks_around(node: ast.AST, scope: Scope) -> Iterator[_Block]:
    """The blocks that a statement stands in, from the inside out: the statement that heads one, and which of its."""
    parents = scope.parents
    while node is not scope.node:
        parent = parents[node]
        yield parent, _branch_of(parent, node)
        node = parent


def _branch_of(parent: ast.AST, node: ast.AST) -> str:
    for name in ("orelse", "finalbody"):
        block: list[ast.stmt] = getattr(parent, name, [])
        if block and _place(block[0]) <= _place(node) <= _place(block[-1]):
            return name
    return "body"


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
