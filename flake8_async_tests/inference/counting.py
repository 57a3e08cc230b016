"""Whether a result is looked at, or only dropped, counted, or checked for emptiness."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.handover import is_shared, reads

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_COUNTING_CALLS = frozenset({"builtins.all", "builtins.any", "builtins.bool", "builtins.isinstance", "builtins.len"})
_COUNTING_ASSERTIONS = frozenset({"assertFalse", "assertIsInstance", "assertIsNotNone", "assertTrue"})


def is_only_counted(module: Module, result: ast.expr, scope: Scope) -> bool:
    """Whether what is in a result is never looked at: not where it stands, and not under a name it is given."""
    parent = scope.parents[result]
    if isinstance(parent, ast.Expr):
        return True
    if isinstance(parent, (ast.Assign, ast.AnnAssign)):
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        return all(_is_only_counted_as(module, target, scope) for target in targets)
    return _counts(module, result, scope)


def _is_only_counted_as(module: Module, target: ast.expr, scope: Scope) -> bool:
    """Whether that holds for what a target gets, or for each part of it."""
    names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    return all(
        isinstance(name, ast.Name)
        and not is_shared(module, name.id, scope)
        and all(_counts(module, load, scope) for load in reads(module, name, scope))
        for name in names
    )


def _counts(module: Module, value: ast.expr, scope: Scope) -> bool:
    """Whether a value is where only its truth or its length matters."""
    child: ast.AST = value
    parent = scope.parents[child]
    while isinstance(parent, ast.BoolOp):
        child, parent = parent, scope.parents[parent]
    if isinstance(parent, (ast.Assert, ast.If, ast.While, ast.Expr)):
        return True
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.Compare):
        return all(
            _is_empty_set(module, other, scope) for other in (parent.left, *parent.comparators) if other is not child
        )
    if isinstance(parent, ast.Call) and child is not parent.func:
        assertion = isinstance(parent.func, ast.Attribute) and parent.func.attr in _COUNTING_ASSERTIONS
        return assertion or module.qualified(parent.func, scope) in _COUNTING_CALLS
    return False


def _is_empty_set(module: Module, node: ast.expr, scope: Scope) -> bool:
    return (
        isinstance(node, ast.Call)
        and module.qualified(node.func, scope) in ("builtins.set", "builtins.frozenset")
        and not node.args
    )
