"""AT501: an event loop is started inside of the one that is running."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import await_argument, await_called, unsafe
from flake8_async_tests.inference.loops.known import is_event_loop, is_runner
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.exceptions import (
    REFUSALS,
    expects_refusal,
    is_caught_around,
    is_expected_around,
)
from flake8_async_tests.inference.places.parts import scopes_around
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.rule import Edit
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

_RUNNING = ("asyncio.run", "anyio.run", "trio.run")
# These take a function and its arguments, not a coroutine; and keywords of their own.
_TAKING_FUNCTIONS = {
    "anyio.run": frozenset({"backend", "backend_options"}),
    "trio.run": frozenset({"clock", "instruments", "restrict_keyboard_interrupt_to_checkpoints"}),
}
_RUN_OF_RUNNER = "Runner.run"


@rule("AT501", "nested-event-loop", knows=Knows.FILE, fix="unsafe", calls=(*_RUNNING, "run_until_complete", "run"))
def check(module: Module) -> Iterator[Finding]:
    for call, shown in _running_calls(module):
        assert call.function is not None
        if _is_wanted(call):
            continue
        yield Finding(
            call.node,
            f"{shown}() cannot run while the event loop of async {call.function.name} is running: RuntimeError"
            " (await the coroutine)",
            unsafe(*_fix(call, shown)),
        )


def _fix(call: Call, shown: str) -> tuple[Edit | None, ...]:
    if shown == _RUN_OF_RUNNER and not isinstance(receiver_of(call.node), ast.Call):
        # What is left of the runner makes a loop and cannot close it either.
        return (None,)
    if shown not in _TAKING_FUNCTIONS:
        return await_argument(call.module, call.node, call.scope)
    return await_called(call.module, call.node, call.scope, without=_TAKING_FUNCTIONS[shown])


def _running_calls(module: Module) -> Iterator[tuple[Call, str]]:
    """The calls that run a loop, directly in coroutines, and their names in a message."""
    for call in _in_coroutines(module.calls(*_RUNNING)):
        # asyncio's own may run inside of trio.
        if call.name != "asyncio.run" or not runs_on_trio(module, call.scope):
            yield call, call.name
    for call in _in_coroutines(module.method_calls("run_until_complete", "run")):
        function = call.node.func
        assert isinstance(function, ast.Attribute)
        if function.attr == "run":
            is_running, shown = is_runner(module, function.value, call.scope), _RUN_OF_RUNNER
        else:
            is_running, shown = is_event_loop(module, function.value, call.scope), "loop.run_until_complete"
        if is_running and not runs_on_trio(module, call.scope):
            yield call, shown


def _in_coroutines(calls: list[Call]) -> Iterator[Call]:
    return (call for call in calls if call.scope.node.__class__ is ast.AsyncFunctionDef)


def _is_wanted(call: Call) -> bool:
    """Whether the error is what is tested, or cannot come about since something else is called."""
    module = call.module
    if function_may_be_replaced(call) or module.fact(_may_be_nested):
        return True
    if is_caught_around(module, call.node, call.scope, "builtins.RuntimeError"):
        return True
    # In the child no loop is running.
    if any(fork.scope is call.scope for fork in module.calls("os.fork")):
        return True
    if is_expected_around(module, call.node, call.scope, *REFUSALS):
        return True
    # The coroutine may be awaited where the error is expected.
    return any(expects_refusal(module, scope) for scope in scopes_around(call.scope) if scope is not call.scope)


def _may_be_nested(module: Module) -> bool:
    """Whether `nest_asyncio` makes it possible, in the file or in a conftest."""
    return any(each.imports("nest_asyncio") for each in (module, *module.project.conftests(module.directory).modules))
