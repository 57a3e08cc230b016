"""In what part of a test file something stands: in a test itself, in what clears up after it, under a timeout."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_TEARDOWN_HOOKS = frozenset(
    {
        "asyncTearDown",
        "tearDown",
        "tearDownClass",
        "tearDownModule",
        "teardown_class",
        "teardown_function",
        "teardown_method",
        "teardown_module",
    }
)

_RAISING = frozenset({".assertRaises", ".assertRaisesRegex", "pytest.RaisesGroup", "pytest.raises"})


def is_test_itself(module: Module, scope: Scope) -> bool:
    """Whether a scope is a test's own."""
    return module.test_of(module.function_at(scope)) is not None


def is_fixture_itself(module: Module, scope: Scope) -> bool:
    """Whether a scope is a fixture's own."""
    function = module.function_at(scope)
    return function is not None and module.is_fixture(function)


def clears_up(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether something stands in a `finally`, after a fixture's `yield`, or in a hook that tears down."""
    function = module.function_at(scope)
    if function is not None and function.name in _TEARDOWN_HOOKS:
        return True
    if is_fixture_itself(module, scope) and comes_after_yield(node, scope):
        return True
    return any(
        isinstance(around, (ast.Try, ast.TryStar)) and is_within(node, around.finalbody)
        for around in module.ancestors(node, scope)
    )


def comes_after_yield(node: ast.AST, scope: Scope) -> bool:
    """Whether a scope yields before it gets to a node."""
    return any(place_of(given) < place_of(node) for given in scope.of(ast.Yield, ast.YieldFrom))


def is_cancelled_before(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether the same function cancels something before it gets to a node."""
    return any(call.scope is scope and place_of(call.node) < place_of(node) for call in module.method_calls("cancel"))


def place_of(node: ast.AST) -> tuple[int, int]:
    """The line and column at which a node begins."""
    return node.lineno, node.col_offset  # type: ignore[attr-defined]  # only statements and expressions are asked for


def contexts_around(module: Module, node: ast.AST, scope: Scope) -> Iterator[tuple[str, ast.Call]]:
    """The calls whose results a node stands under, `with` by `with` from the inside out, with their names.

    A name is qualified, or that of a method after a dot (`.assertRaises`).
    """
    child = node
    for around in module.ancestors(node, scope):
        if isinstance(around, (ast.With, ast.AsyncWith)) and not isinstance(child, ast.withitem):
            for item in reversed(around.items):
                if isinstance(item.context_expr, ast.Call):
                    yield _name_of(module, item.context_expr, scope), item.context_expr
        child = around


def _name_of(module: Module, call: ast.Call, scope: Scope) -> str:
    name = module.qualified(call.func, scope)
    return f".{call.func.attr}" if not name and isinstance(call.func, ast.Attribute) else name


def is_expected_to_raise(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a node stands under `pytest.raises`, `assertRaises` or the like."""
    return any(name in _RAISING for name, _ in contexts_around(module, node, scope))
