"""AT503: `asyncio.get_event_loop` where the running loop is meant, or where there may be none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import replace, safe, spell
from flake8_async_tests.inference.loops.known import may_be_given_loop, sets_loop_before
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.exceptions import is_caught_around, is_expected_around
from flake8_async_tests.inference.replacing.replaced import path_may_be_replaced
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.fixture_graph import Closure
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module

_LOOP_FIXTURES = frozenset({"event_loop", "loop"})
# What is raised where there is no loop, or warned of.
_COMPLAINTS = ("builtins.RuntimeError", "builtins.DeprecationWarning")
_COMPLAINT = "There is no current event loop in thread 'MainThread'."


@rule("AT503", "get-event-loop", knows=Knows.FILE, fix="safe", calls=("asyncio.get_event_loop",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls("asyncio.get_event_loop"):
        function = call.function
        if function is None or not (function.is_async or _may_lack_loop(function)) or _is_in_order(call):
            continue
        if function.is_async:
            message = "asyncio.get_event_loop() in async code means the running loop (write asyncio.get_running_loop())"
        else:
            message = (
                f"asyncio.get_event_loop() in sync {function.name} finds a loop only if something left one behind, and"
                " is an error without one from Python 3.14 on (write an async test, or use asyncio.run())"
            )
        yield Finding(call.node, message, _fix(call) if function.is_async else None)


def _fix(call: Call) -> Fix | None:
    name = spell(call.module, call.scope, "asyncio", "get_running_loop", line=call.node.lineno)
    return safe(replace(call.node.func, name.text), names=[name]) if name is not None else None


def _may_lack_loop(function: Function) -> bool:
    """Whether it is a sync test or fixture for which nobody in sight provides a loop."""
    module = function.module
    test = module.test_of(function)
    fixture = module.fixture_of(function)
    if test is not None:
        is_given_loop = any(map(may_be_given_loop, test.collectors))
        return not is_given_loop and _sets_no_loop(module.fixture_graph.closure_of(test))
    return fixture is not None and _sets_no_loop(module.fixture_graph.closure_of_fixture(fixture))


def _sets_no_loop(closure: Closure) -> bool:
    """Whether none of the fixtures makes a loop the current one: those that cannot be seen are plugins' that do."""
    seen = {fixture.name for fixture in closure.fixtures if fixture.name not in fixture.requests}
    return closure.names.isdisjoint(_LOOP_FIXTURES - seen) and not any(
        call.scope is fixture.function.scope
        for fixture in closure.fixtures
        for call in fixture.module.calls("asyncio.set_event_loop")
    )


def _is_in_order(call: Call) -> bool:
    """Whether a loop was set before, or the error is expected, or something else is called."""
    module = call.module
    scope = call.scope
    return (
        sets_loop_before(module, call.node, scope)
        or is_caught_around(module, call.node, scope, "builtins.RuntimeError")
        or is_expected_around(module, call.node, scope, *_COMPLAINTS, saying=_COMPLAINT)
        or path_may_be_replaced(module, "asyncio.get_event_loop", scope)
        or runs_on_trio(module, scope)
    )
