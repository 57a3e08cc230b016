"""What a file holds for some versions of Python alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import scopes_around
from flake8_async_tests.inference.places.suspension import block_of, position_in
from flake8_async_tests.inference.values.elsewhere import find_elsewhere
from flake8_async_tests.inference.values.flow import leaves
from flake8_async_tests.source.marks import pytestmarks_of
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_VERSIONS = frozenset(
    {"platform.python_version", "platform.python_version_tuple", "sys.hexversion", "sys.version", "sys.version_info"}
)

_BELOW = (ast.Lt, ast.LtE)
_FROM = (ast.Gt, ast.GtE)


def is_for_one_version(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a condition around or before something, or a mark such as `skipif`, asks for the version of Python."""
    waits = False
    for inner in scopes_around(scope):
        for around in (node, *module.ancestors(node, inner)):
            if any(_asks_for_version(module, condition, inner) for condition in _conditions_of(around)):
                return True
            if isinstance(around, ast.stmt) and around is not inner.node and _is_guarded(module, around, inner):
                return True
        node = inner.node
        # The body of a class, and that of a module, run whatever their marks are.
        waits = waits or not (inner.is_class or inner is module.scope)
        if waits and any(_asks_for_version(module, mark, around) for mark, around in _marks_of(module, inner)):
            return True
    return False


def is_for_older_versions(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether an `if` around something keeps it from the newer versions of Python: `if sys.version_info < (3, 12):`."""
    return any(
        isinstance(around, ast.If) and _is_on_older_side(module, node, around, inner)
        for inner in scopes_around(scope)
        for around in module.ancestors(node, inner)
    )


def _is_on_older_side(module: Module, node: ast.AST, branching: ast.If, scope: Scope) -> bool:
    if is_within(node, branching.orelse):
        return _bounds(module, branching.test, scope, _FROM)
    return any(_bounds(module, each, scope, _BELOW) for each in _all_of(branching.test))


def _all_of(condition: ast.expr) -> list[ast.expr]:
    """What must hold, each for itself, where a condition does."""
    return condition.values if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And) else [condition]


def _bounds(module: Module, condition: ast.expr, scope: Scope, by: tuple[type[ast.cmpop], ...]) -> bool:
    """Whether a condition compares the version in one direction: `sys.version_info < (3, 12)`, itself or by a name."""
    value = module.value_of(condition, scope)
    return (
        isinstance(value, ast.Compare)
        and isinstance(value.ops[0], by)
        and module.qualified(value.left, scope) == "sys.version_info"
    )


def _conditions_of(node: ast.AST) -> list[ast.expr]:
    """What is asked before a part of a node is come to."""
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        return [node.test]
    if isinstance(node, ast.BoolOp):
        return node.values[:-1]
    return [node.subject] if isinstance(node, ast.Match) else []


def _marks_of(module: Module, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
    """The decorators of a function or class, and what its `pytestmark`, or the module's, says of when to skip."""
    node = scope.node
    if scope.parent is not None and not isinstance(node, (ast.Module, ast.Lambda)):
        yield from ((module.value_of(decorator, scope.parent), scope.parent) for decorator in node.decorator_list)
    if scope.is_class or scope is module.scope:
        yield from ((mark.call, scope) for mark in pytestmarks_of(module, scope).named("skipif") if mark.call)


def _is_guarded(module: Module, statement: ast.stmt, scope: Scope) -> bool:
    """Whether further up in its block an `if` about the version leaves: `if PY310: pytest.skip()`."""
    block = block_of(statement, scope)
    return any(
        isinstance(before, ast.If)
        and leaves(module, before.body[-1], scope)
        and _asks_for_version(module, before.test, scope)
        for before in block[: position_in(block, statement)]
    )


def _asks_for_version(module: Module, condition: ast.expr, scope: Scope) -> bool:
    """Whether a condition is about the version, itself or by a name: `PY310 = sys.version_info >= (3, 10)`."""
    return any(
        _speaks_of_version(module, module.value_of(part, scope), scope) or _is_told_elsewhere(module, part, scope)
        for part in _names_in(condition)
    )


def _is_told_elsewhere(module: Module, name: ast.expr, scope: Scope) -> bool:
    """Whether a name comes from a module of the project that asks for the version: `from compat import PY310`."""
    qualified = module.qualified(name, scope)
    found = find_elsewhere(module, qualified, is_assigned=True) if "." in qualified else None
    value = found.value if found is not None else None
    return found is not None and value is not None and _asks_for_version(found.module, value, found.module.scope)


def _speaks_of_version(module: Module, value: ast.expr, scope: Scope) -> bool:
    return any(module.qualified(part, scope) in _VERSIONS for part in _names_in(value))


def _names_in(node: ast.expr) -> list[ast.Attribute | ast.Name]:
    return [part for part in ast.walk(node) if isinstance(part, (ast.Attribute, ast.Name))]
