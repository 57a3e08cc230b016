"""Which library's event loop runs a piece of a test file, as far as that can be told."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import scopes_around
from flake8_async_tests.runner import Runs, runner_of
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from flake8_async_tests.source.fixtures import Fixture
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
    functions = [module.function_at(around) for around in scopes_around(scope)]
    return next((function for function in reversed(functions) if function is not None), None)


def _trio_mode(module: Module) -> bool:
    mode = module.project.config_for(module.directory).trio_mode
    return mode is not None and mode.value.strip().lower() in ("1", "yes", "true", "on")


def _runs_test_on_trio(test: Test) -> bool:
    runs = runner_of(test).runs
    return runs is Runs.TRIO or (runs is Runs.ANYIO and _has_no_asyncio_backend(test))


def _has_no_asyncio_backend(test: Test) -> bool:
    """Whether `anyio_backend` is trio alone, or may be: by a parametrization, or by a fixture in sight."""
    if "anyio_backend" in test.parametrized:
        backends = _parametrized_backends(test)
    elif test.module.fixture_graph.is_in_sight("anyio_backend", test.klass):
        backends = _backends_of_fixture(test.module.fixture_graph.find("anyio_backend", test.klass))
    else:
        # anyio's own, which is for every backend there is.
        return False
    return "asyncio" not in backends


def _parametrized_backends(test: Test) -> set[str]:
    """The backends that are written down; those that cannot be read are left out."""
    return {
        backend
        for mark in test.marks.named("parametrize")
        if mark.call is not None and len(mark.call.args) > 1 and _is_backend(mark.call.args[0])
        for backend in _backends(mark.call.args[1])
    }


def _is_backend(names: ast.expr) -> bool:
    return isinstance(names, ast.Constant) and names.value == "anyio_backend"


def _backends_of_fixture(fixture: Fixture | None) -> set[str]:
    if fixture is None:
        return set()
    params = keyword_value(fixture.decorator.call, "params") if fixture.decorator.call is not None else None
    if params is not None:
        return set(_backends(params))
    scope = fixture.function.scope
    return {
        _backend(node.value) for node in scope.of(ast.Return, ast.Yield) if isinstance(node, (ast.Return, ast.Yield))
    }


def _backends(values: ast.expr) -> list[str]:
    return [_backend(value) for value in values.elts] if isinstance(values, (ast.List, ast.Tuple)) else []


def _backend(value: ast.expr | None) -> str:
    """`"trio"`, or `("trio", {...})`, possibly within `pytest.param(...)`."""
    if isinstance(value, ast.Call) and value.args:
        value = value.args[0]
    if isinstance(value, ast.Tuple) and value.elts:
        value = value.elts[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
