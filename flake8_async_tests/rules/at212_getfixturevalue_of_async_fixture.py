"""AT212: an async fixture is asked for by `request.getfixturevalue` while the loop is running."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.exceptions import is_caught_around
from flake8_async_tests.inference.places.parts import is_expected_to_raise
from flake8_async_tests.requesters import requesting_tests_anywhere
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import Runs, runner_of
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.fixtures import late_requests, name_requested_late

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.fixture_graph import Closure
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_RUN_ON_A_LOOP = (Runs.ASYNCIO, Runs.ANYIO)


@rule("AT212", "getfixturevalue-of-async-fixture", knows=Knows.PROJECT, calls=("getfixturevalue",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.method_calls("getfixturevalue"):
        function = _test_or_fixture_around(call)
        if function is None or not function.is_async or not _is_on_request(call, function):
            continue
        name = name_requested_late(call)
        if not name or module.fixture_graph.find(name, function.klass) is None or _is_expected_to_fail(call):
            continue
        if _is_set_up_by_then(module, function, name):
            continue
        # The fixture itself, or one that a sync fixture asks for.
        behind = module.fixture_graph.closure_behind(name, function.klass).fixtures
        if any(fixture.is_async and not _is_set_up_by_then(module, function, fixture.name) for fixture in behind):
            yield Finding(
                call.node,
                f"getfixturevalue({name!r}) asks for an async fixture while the loop is running: RuntimeError"
                f" (take {name} as a parameter, or call it in a sync fixture)",
            )


def _test_or_fixture_around(call: Call) -> Function | None:
    """The function in which a call stands, or the test or fixture that holds it: coroutines in that run on its loop."""
    function = call.function
    while function is not None and function.is_async and function.is_nested:
        function = function.enclosing_function
    return function


def _is_on_request(call: Call, function: Function) -> bool:
    receiver = receiver_of(call.node)
    held = call.module.value_of(receiver, call.scope) if receiver is not None else None
    if not isinstance(held, ast.Name) or held.id != "request":
        return False
    if call.module.names.binding_scope("request", call.scope) is not function.scope:
        return False
    bindings = function.scope.bindings["request"]
    return len(bindings) == 1 and isinstance(bindings[0], ast.arg)


def _is_expected_to_fail(call: Call) -> bool:
    where = (call.module, call.node, call.scope)
    return is_expected_to_raise(*where) or is_caught_around(*where, "builtins.RuntimeError")


def _is_set_up_by_then(module: Module, function: Function, name: str) -> bool:
    """Whether the fixture is there already, or the function is none that certainly runs on a loop."""
    test = module.test_of(function)
    if test is not None:
        return runner_of(test).runs not in _RUN_ON_A_LOOP or _draws_in(test, name)
    fixture = module.fixture_of(function)
    return fixture is None or _is_there_before(fixture, name)


def _draws_in(test: Test, name: str) -> bool:
    return name in test.parametrized or _is_set_up_with(test.module.fixture_graph.closure_of(test), name, test.module)


def _is_there_before(fixture: Fixture, name: str) -> bool:
    """Whether the fixture itself, or a test in sight that asks for it, draws the other one in."""
    graph = fixture.module.fixture_graph
    closures = (graph.closure_of_fixture(fixture), graph.closure(fixture.klass, ()))
    if any(_is_set_up_with(closure, name, fixture.module) for closure in closures):
        return True
    return any(_draws_in(test, name) for test, _ in requesting_tests_anywhere(fixture))


def _is_set_up_with(closure: Closure, name: str, module: Module) -> bool:
    """Whether a fixture is among others, or one of these may ask for it as they are set up: sync code can do so."""
    if name in closure.names:
        return True
    asked = {
        name_requested_late(call)
        for fixture in closure.fixtures
        if not fixture.is_async
        for call in late_requests(fixture.function)
    }
    return "" in asked or any(name in module.fixture_graph.closure_behind(each, None).names for each in asked)
