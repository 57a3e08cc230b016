"""Which library's event loop runs a piece of a test file, as far as that can be told."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.runner import Runs, runner_of
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope


def runs_on_trio(module: Module, scope: Scope) -> bool:
    """Whether the code of a scope certainly runs under trio: it belongs to a test that trio runs, or to its file."""
    function = outermost_function(module, scope)
    test = module.test_of(function)
    if test is not None:
        return _runs_test_on_trio(test)
    return module.marks.has("trio") or _trio_mode(module)


def outermost_function(module: Module, scope: Scope) -> Function | None:
    """The function that holds a scope and stands in no other one."""
    function = None
    at: Scope | None = scope
    while at is not None:
        function = module.function_at(at) or function
        at = at.parent
    return function


def _trio_mode(module: Module) -> bool:
    mode = module.project.config_for(module.directory).trio_mode
    return mode is not None and mode.value.strip().lower() in ("1", "yes", "true", "on")


def _runs_test_on_trio(test: Test) -> bool:
    runs = runner_of(test).runs
    return runs is Runs.TRIO or (runs is Runs.ANYIO and _has_only_trio_backend(test))


def _has_only_trio_backend(test: Test) -> bool:
    """Whether `anyio_backend` is trio alone: by a parametrization, or by a fixture in sight."""
    if "anyio_backend" in test.parametrized:
        values = [
            value
            for mark in test.marks.named("parametrize")
            if mark.call is not None and len(mark.call.args) > 1
            for value in _backends(mark.call.args[1])
            if _is_named(mark.call.args[0])
        ]
        return bool(values) and set(values) == {"trio"}
    fixture = test.module.fixture_graph.find("anyio_backend", test.klass)
    if fixture is None:
        return False
    call = fixture.decorator.call
    params = keyword_value(call, "params") if call is not None else None
    if params is not None:
        return set(_backends(params)) == {"trio"}
    given = [
        node.value
        for node in fixture.function.scope.of(ast.Return, ast.Yield)
        if isinstance(node, (ast.Return, ast.Yield))
    ]
    return {_backend(value) for value in given} == {"trio"}


def _is_named(names: ast.expr) -> bool:
    return isinstance(names, ast.Constant) and names.value == "anyio_backend"


def _backends(values: ast.expr) -> list[str]:
    return [_backend(value) for value in values.elts] if isinstance(values, (ast.List, ast.Tuple)) else [""]


def _backend(value: ast.expr | None) -> str:
    """`"trio"`, or `("trio", {...})`, possibly within `pytest.param(...)`."""
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    if isinstance(value, ast.Tuple) and value.elts:
        value = value.elts[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
