"""Whether the tasks that nobody keeps are asked for all together, by `asyncio.all_tasks()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import outermost_function
from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.inference.replacing.interception import closure_around

if TYPE_CHECKING:
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

_ALL_TASKS = "asyncio.all_tasks"


def may_be_found_later(call: Call) -> bool:
    """Whether all tasks are asked for after a call has started one: further down, by a helper, by a fixture."""
    module = call.module
    function = outermost_function(module, call.scope)
    if any(_may_follow(call, function, other) for other in module.calls(_ALL_TASKS)):
        return True
    fixtures = closure_around(module, function, module.test_of(function)).fixtures
    return any(
        fixture.function is not function and fixture.function in _functions_that_ask(fixture.module)
        for fixture in fixtures
    )


def _may_follow(call: Call, function: Function | None, other: Call) -> bool:
    if other.scope is call.scope:
        return place_of(other.node) > place_of(call.node)
    asking = outermost_function(call.module, other.scope)
    if asking is None or function is None or asking is function:
        return True
    if asking.klass is not None and asking.klass is function.klass:
        # Such as `asyncTearDown`.
        return call.module.test_of(asking) is None
    return any(load.id == asking.name for load in call.scope.loads)


def _functions_that_ask(module: Module) -> set[Function | None]:
    return {outermost_function(module, call.scope) for call in module.calls(_ALL_TASKS)}
