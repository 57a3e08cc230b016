"""AT502: a test, a fixture or a hook makes an event loop of its own and works with it."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import is_run_for_ever, may_be_loop_from_before, new_loops_behind
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.exceptions import is_expected_around
from flake8_async_tests.inference.places.parts import is_hook, is_test_itself, place_of
from flake8_async_tests.inference.places.suspension import block_of, position_in, statement_of
from flake8_async_tests.inference.places.versions import is_for_older_versions
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.instances import sets_up
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_MAKER = "asyncio.new_event_loop"
# What a loop runs before it is closed: these methods of its own, and a wait for all that is left.
_ENDING = frozenset({"shutdown_asyncgens", "shutdown_default_executor"})
_WAITING = frozenset({"asyncio.gather", "asyncio.wait"})


@rule("AT502", "hand-made-event-loop", knows=Knows.FILE, calls=(_MAKER, "asyncio.set_event_loop"))
def check(module: Module) -> Iterator[Finding]:
    untold = _Untold(module)
    made: dict[ast.Call, Scope] = {}
    for call in module.method_calls("run_until_complete", "run_forever"):
        # Most loops that are used were made elsewhere: these are not followed back at all.
        if untold.may_be_used_by(call) and _works(call):
            made |= untold.without(_made_here(module, receiver_of(call.node), call.scope))
    for kept, scope in untold.used_by_kept_method():
        made |= untold.without(_made_here(module, kept, scope))
    for call in module.calls("asyncio.set_event_loop"):
        loop = call.argument(0, "loop")
        found = _made_here(module, loop, call.scope)
        made |= found
        if not found or loop is None or may_be_loop_from_before(module, loop, call.scope):
            continue
        if _is_place_to_tell(module, call.scope) and not _is_for_others(call):
            yield Finding(
                call.node,
                "asyncio.set_event_loop() makes a hand-made loop the current one: until that is undone, others find it"
                " there, closed or not (let the plugin make the loop, or use asyncio.Runner)",
            )
    for node, scope in made.items():
        if module.qualified(node.func, scope) != _MAKER or not _is_place_to_tell(module, scope):
            continue
        if not _is_for_others(module.call_at(node, scope)):
            yield Finding(
                node,
                "asyncio.new_event_loop() makes a loop by hand: nothing cancels what still runs on it when the test"
                " fails (write an async test, or use asyncio.run() or asyncio.Runner)",
            )


def _is_for_others(call: Call) -> bool:
    """Whether a fake answers the call, or only older versions of Python come to it, such as have no `asyncio.run()`."""
    return function_may_be_replaced(call) or is_for_older_versions(call.module, call.node, call.scope)


def _made_here(module: Module, loop: ast.expr | None, used_in: Scope) -> dict[ast.Call, Scope]:
    """The calls that made a loop by hand which is used in a scope: in the same function, or for the same instance."""
    if loop is None or module.function_at(used_in) is None:
        return {}
    found = {
        node: scope
        for node, scope in new_loops_behind(module, loop, used_in)
        if scope is used_in or _are_methods(scope, used_in)
    }
    return {} if found and is_run_for_ever(module, loop, used_in) else found


def _works(call: Call) -> bool:
    """Whether a loop that is run does some work.

    It does not end what is left on it, nor is it for a thread to run, nor too late or too early to be run at all.
    """
    assert isinstance(call.node.func, ast.Attribute)
    if is_expected_around(call.module, call.node, call.scope, "builtins.RuntimeError") and _cannot_run(call):
        return False
    if call.node.func.attr == "run_forever":
        return _is_place_to_tell(call.module, call.scope) and not _is_last_turn(call)
    run = call.argument(0, "future")
    if not isinstance(run, ast.Call):
        return True
    if isinstance(run.func, ast.Attribute) and run.func.attr in _ENDING:
        return False
    return call.module.qualified(run.func, call.scope) not in _WAITING or not any(
        _asks_for_all_tasks(call.module, argument, call.scope) for argument in run.args
    )


def _cannot_run(call: Call) -> bool:
    """Whether another loop is running, or the function has closed this one before."""
    if isinstance(call.scope.node, ast.AsyncFunctionDef):
        return True
    loop = receiver_of(call.node)
    return loop is not None and any(
        closing.scope is call.scope and place_of(closing.node) < place_of(call.node) and _is_on(closing, loop)
        for closing in call.module.method_calls("close")
    )


def _is_on(call: Call, thing: ast.expr) -> bool:
    receiver = receiver_of(call.node)
    return receiver is not None and path_of(receiver) == path_of(thing)


def _is_last_turn(call: Call) -> bool:
    """Whether the statement before has stopped the loop already: `loop.stop()`, `loop.call_soon(loop.stop)`."""
    statement = statement_of(call.node, call.scope)
    block = block_of(statement, call.scope)
    before = block[max(position_in(block, statement) - 1, 0)]
    stopping = before.value if isinstance(before, ast.Expr) else None
    if not isinstance(stopping, ast.Call) or not isinstance(stopping.func, ast.Attribute):
        return False
    stop = stopping.args[0] if stopping.func.attr == "call_soon" and stopping.args else stopping.func
    loop = receiver_of(call.node)
    return loop is not None and isinstance(stop, ast.Attribute) and path_of(stop) == f"{path_of(loop)}.stop"


def _asks_for_all_tasks(module: Module, argument: ast.expr, scope: Scope) -> bool:
    """Whether it is `asyncio.all_tasks()`, or what that gave, or some of it."""
    value = module.value_of(argument.value if isinstance(argument, ast.Starred) else argument, scope)
    return any(
        isinstance(node, ast.Call) and module.qualified(node.func, scope) == "asyncio.all_tasks"
        for node in ast.walk(value)
    )


def _are_methods(*scopes: Scope) -> bool:
    """Whether scopes stand in classes: what one finds on the instance, the other put there."""
    return all(scope.parent is not None and scope.parent.is_class for scope in scopes)


class _Untold:
    """The calls that make a loop of which there is something to tell, as long as that was not told."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._homes: dict[ast.Call, tuple[Scope | Class, ...]] = {
            call.node: _homes_of(call.function)
            for call in module.calls(_MAKER)
            if call.function is not None and _is_place_to_tell(module, call.scope)
        }
        self._left = Counter(home for homes in self._homes.values() for home in homes)

    def may_be_used_by(self, call: Call) -> bool:
        """Whether one is made in the same function, or for the same instance."""
        return self._may_be_used_in(call.scope)

    def _may_be_used_in(self, scope: Scope) -> bool:
        if self._left[scope]:
            return True
        function = self._module.function_at(scope)
        klass = function.klass if function is not None else None
        return klass is not None and bool(self._left[klass])

    def used_by_kept_method(self) -> Iterator[tuple[ast.expr, Scope]]:
        """The loops whose method is kept under a name, and called by that: `run = loop.run_until_complete`."""
        if not self._homes:
            return
        for kept, scope in self._module.of_kind(ast.Assign):
            method, name = kept.value, word_of(kept.targets[0])
            if not isinstance(method, ast.Attribute) or method.attr != "run_until_complete":
                continue
            calls = self._module.index.calls.get(name, ())
            if self._may_be_used_in(scope) and any(
                where is scope or _are_methods(where, scope) for _, where, _ in calls
            ):
                yield method.value, scope

    def without(self, told: dict[ast.Call, Scope]) -> dict[ast.Call, Scope]:
        for node in told:
            self._left.subtract(self._homes.pop(node, ()))
        return told


def _homes_of(function: Function) -> tuple[Scope | Class, ...]:
    """From where one gets at what a function makes: from itself, and from all methods of what it sets up."""
    klass = function.klass
    if klass is None or not sets_up(function):
        return (function.scope,)
    return (function.scope, *{each: None for heir in klass.family for each in heir.lineage})


def _is_place_to_tell(module: Module, scope: Scope) -> bool:
    function = module.function_at(scope)
    if function is None or runs_on_trio(module, scope):
        return False
    fixture = module.fixture_of(function)
    if fixture is not None:
        # Its own rule speaks of an overridden event_loop.
        return fixture.name != "event_loop"
    return is_test_itself(module, scope) or is_hook(module, scope)
