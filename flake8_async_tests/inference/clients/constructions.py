"""The calls that make what an expression holds: where a client or an app was built, and with what arguments."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import fixture_behind
from flake8_async_tests.inference.values.elsewhere import find_elsewhere, function_meant
from flake8_async_tests.inference.values.flow import Kind, bindings_at

if TYPE_CHECKING:
    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

    Expression = tuple[Module, ast.expr, Scope]

# How many expressions are looked at on the way to the calls.
_MOST_STEPS = 12

ENTERING_METHODS = frozenset({"enter_async_context", "enterAsyncContext", "enter_context", "enterContext"})
"""The methods of exit stacks and of unittest's cases that enter what they are given, and give what that gives."""

_HOLDING = (Kind.ASSIGNED, Kind.ENTERED, Kind.ENTERED_ASYNC)


def constructions_of(module: Module, node: ast.expr, scope: Scope) -> tuple[Call, ...]:
    """Every call of something from a library that may have made what an expression holds; () when one is not in view.

    What is entered by `with` counts as what it gives.
    """
    found: dict[ast.expr, Call] = {}
    seen: set[ast.expr] = set()
    todo: list[Expression] = [(module, node, scope)]
    for _ in range(_MOST_STEPS):
        if not todo:
            return tuple(found.values())
        at, expression, within = todo.pop()
        if expression in seen:
            continue
        seen.add(expression)
        call = _library_call(at, expression, within)
        if call is not None:
            found[expression] = call
            continue
        behind = _behind(at, expression, within)
        if not behind:
            return ()
        todo += behind
    return ()


def _library_call(module: Module, node: ast.expr, scope: Scope) -> Call | None:
    if not isinstance(node, ast.Call) or _is_entering(node):
        return None
    call = module.call_at(node, scope)
    return call if call.name and function_meant(module, node.func, scope) is None else None


def _behind(module: Module, node: ast.expr, scope: Scope) -> list[Expression]:
    """The expressions that decide what an expression holds; none when they are not in view."""
    if isinstance(node, (ast.Await, ast.NamedExpr)):
        return [(module, node.value, scope)]
    if isinstance(node, ast.Call):
        if _is_entering(node):
            return [(module, node.args[0], scope)]
        function = function_meant(module, node.func, scope)
        return _given_by(function) if function is not None else []
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _behind_name(module, node, scope)
    return []


def _is_entering(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in ENTERING_METHODS and len(node.args) == 1


def _behind_name(module: Module, node: ast.Name | ast.Attribute, scope: Scope) -> list[Expression]:
    bindings = bindings_at(module, node, scope)
    if bindings and all(binding.kind is not Kind.IMPORTED for binding in bindings):
        parts = [_behind_binding(module, binding) for binding in bindings]
        return [expression for part in parts for expression in part] if all(parts) else []
    elsewhere = find_elsewhere(module, module.qualified(node, scope), is_assigned=True)
    if elsewhere is None or elsewhere.value is None:
        return []
    return [(elsewhere.module, elsewhere.value, elsewhere.module.scope)]


def _behind_binding(module: Module, binding: Binding) -> list[Expression]:
    if isinstance(binding.node, ast.arg):
        function = module.function_at(binding.scope)
        fixture = fixture_behind(function, binding.node.arg) if function is not None else None
        return _given_by(fixture.function) if fixture is not None else []
    if binding.kind not in _HOLDING or binding.value is None:
        return []
    return [(module, binding.value, binding.scope)]


def _given_by(function: Function) -> list[Expression]:
    """What a fixture or helper yields or returns."""
    kind = ast.Yield if function.is_generator else ast.Return
    values = [node.value for node in function.scope.of(kind) if isinstance(node, (ast.Yield, ast.Return))]
    return [(function.module, value, function.scope) for value in values if value is not None]
