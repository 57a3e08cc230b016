"""Whether a result is looked at, or only dropped, counted, or checked for emptiness."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.assertions import assertion_that_holds, is_unittest_assertion
from flake8_async_tests.inference.handover import is_shared, reads

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_COUNTING_CALLS = frozenset({"builtins.all", "builtins.any", "builtins.bool", "builtins.isinstance", "builtins.len"})
_COUNTING_ASSERTIONS = frozenset({"assertFalse", "assertIsInstance", "assertIsNotNone", "assertTrue"})
# They say nothing of what is in a list, but much of one of its parts.
_OF_CLASS = frozenset({"assertIsInstance", "builtins.isinstance"})
_NOTHING: frozenset[str] = frozenset()


def is_only_counted(module: Module, result: ast.expr, scope: Scope, *, holds_outcomes: bool = False) -> bool:
    """Whether what is in a result is never looked at: not where it stands, and not under a name it is given.

    Where the parts of the result are the very outcomes, asking for the class of one is a look.
    """
    parent = scope.parents[result]
    if isinstance(parent, ast.Expr):
        return True
    if isinstance(parent, (ast.Assign, ast.AnnAssign)):
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        return all(_is_only_counted_as(module, target, scope, holds_outcomes) for target in targets)
    return _counts(module, result, scope, _NOTHING)


def _is_only_counted_as(module: Module, target: ast.expr, scope: Scope, holds_outcomes: bool) -> bool:
    """Whether that holds for what a target gets, or for each part of it."""
    is_unpacked = isinstance(target, (ast.Tuple, ast.List))
    names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    looks = _OF_CLASS if is_unpacked and holds_outcomes else _NOTHING
    return all(
        isinstance(name, ast.Name)
        and not is_shared(module, name.id, scope)
        and all(_counts(module, load, scope, looks) for load in reads(module, name, scope))
        for name in names
    )


def _counts(module: Module, value: ast.expr, scope: Scope, looks: frozenset[str]) -> bool:
    """Whether a value is where only its truth or its length matters; what looks at it is named."""
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
        method = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
        if method in _COUNTING_ASSERTIONS:
            return method not in looks
        return module.qualified(parent.func, scope) in _COUNTING_CALLS - looks
    return False


def is_asserted_empty(module: Module, name: ast.Name, scope: Scope) -> bool:
    """Whether a test fails when there is anything in what is bound to a name: `assert not done`."""
    return any(_says_empty(module, load, scope) for load in reads(module, name, scope))


def _says_empty(module: Module, value: ast.expr, scope: Scope) -> bool:
    parent = scope.parents[value]
    if isinstance(parent, ast.Call):
        if is_unittest_assertion(parent, "assertFalse"):
            return value in parent.args[:1]
        if module.qualified(parent.func, scope) != "builtins.len":
            return False
        value, parent = parent, scope.parents[parent]
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not) and assertion_that_holds(parent, scope) is not None
    if isinstance(parent, ast.Compare) and len(parent.ops) == 1 and isinstance(parent.ops[0], ast.Eq):
        other = parent.comparators[0] if value is parent.left else parent.left
        is_nothing = _is_empty_set(module, other, scope) or (isinstance(other, ast.Constant) and other.value == 0)
        return is_nothing and assertion_that_holds(parent, scope) is not None
    return False


def _is_empty_set(module: Module, node: ast.expr, scope: Scope) -> bool:
    return (
        isinstance(node, ast.Call)
        and module.qualified(node.func, scope) in ("builtins.set", "builtins.frozenset")
        and not node.args
    )
