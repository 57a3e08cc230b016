"""AT502: a test, a fixture or a hook makes an event loop of its own and works with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.backends import runs_on_trio
from flake8_async_tests.inference.loops import is_run_for_ever, new_loops_behind
from flake8_async_tests.inference.places import is_hook, is_test_itself
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT502", "hand-made-event-loop", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    made: dict[ast.Call, Scope] = {}
    for call in module.method_calls("run_until_complete"):
        made |= _made_here(call, receiver_of(call.node))
    for call in module.calls("asyncio.set_event_loop"):
        found = _made_here(call, call.argument(0, "loop"))
        made |= found
        if found and _is_place_to_tell(module, call.scope):
            yield Finding(
                call.node,
                "asyncio.set_event_loop() makes a hand-made loop the current one: until that is undone, others find it"
                " there, closed or not (let the plugin make the loop, or use asyncio.Runner)",
            )
    for node, scope in made.items():
        if _is_place_to_tell(module, scope):
            yield Finding(
                node,
                "asyncio.new_event_loop() makes a loop by hand: nothing cancels what still runs on it when the test"
                " fails (write an async test, or use asyncio.run() or asyncio.Runner)",
            )


def _made_here(call: Call, loop: ast.expr | None) -> dict[ast.Call, Scope]:
    """The calls that made a loop by hand which is used in a call: in the same function, or for the same instance."""
    module = call.module
    if loop is None or call.function is None or is_run_for_ever(module, loop, call.scope):
        return {}
    return {
        node: scope
        for node, scope in new_loops_behind(module, loop, call.scope)
        if scope is call.scope or _are_methods(scope, call.scope)
    }


def _are_methods(*scopes: Scope) -> bool:
    """Whether scopes stand in classes: what one finds on the instance, the other put there."""
    return all(scope.parent is not None and scope.parent.is_class for scope in scopes)


def _is_place_to_tell(module: Module, scope: Scope) -> bool:
    function = module.function_at(scope)
    if function is None or runs_on_trio(module, scope):
        return False
    fixture = module.fixture_of(function)
    if fixture is not None:
        # Its own rule speaks of an overridden event_loop.
        return fixture.name != "event_loop"
    return is_test_itself(module, scope) or is_hook(module, scope)
