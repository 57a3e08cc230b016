"""Sleeps of the event loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.assertions import always_fails
from flake8_async_tests.inference.places.exceptions import is_caught_around
from flake8_async_tests.inference.places.parts import contexts_around, entered_by, is_expected_to_raise, place_of
from flake8_async_tests.inference.places.suspension import next_statement, statement_of
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.time.frozen import is_clock_controlled
from flake8_async_tests.inference.time.timeouts import TIMEOUTS, may_be_under_timeout_of_stack
from flake8_async_tests.inference.uses.handover import loads_of
from flake8_async_tests.inference.values.numbers import number_of

if TYPE_CHECKING:
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# By the name of the argument that says how long.
SLEEPS = {"asyncio.sleep": "delay", "anyio.sleep": "delay", "trio.sleep": "seconds"}

_GROUPS = frozenset({"anyio.create_task_group", "trio.open_nursery"})
_INTERRUPTIONS = ("asyncio.CancelledError", "builtins.TimeoutError", "builtins.BaseException", "trio.Cancelled")


def awaited_sleeps(module: Module) -> list[Call]:
    """The sleeps of asyncio, anyio and trio that are awaited on the spot, in the order of the file."""
    return [call for call in module.calls(*SLEEPS) if call.is_awaited]


def sleeps_among(module: Module, nodes: list[ast.expr], scope: Scope) -> list[Call]:
    """Those expressions that are calls of such a sleep."""
    calls = [module.call_at(node, scope) for node in nodes if isinstance(node, ast.Call)]
    return [call for call in calls if call.name in SLEEPS]


def duration_of(call: Call) -> ast.expr | None:
    """How long a sleep is to last, as it is written."""
    return call.argument(0, SLEEPS[call.name])


def seconds_of(call: Call) -> float | None:
    """How long a sleep is to last, None when that is not a literal."""
    return number_of(duration_of(call))


def may_end_early(call: Call, seconds: float) -> bool:
    """Whether something cuts a sleep short, or makes it none at all: a timeout, a fake, a clock of the test's own."""
    module = call.module
    return (
        any(name in TIMEOUTS for name, _ in contexts_around(module, call.node, call.scope))
        or may_be_under_timeout_of_stack(module, call.node, call.scope)
        or is_expected_to_raise(module, call.node, call.scope)
        or is_caught_around(module, call.node, call.scope, *_INTERRUPTIONS)
        or function_may_be_replaced(call)
        or _is_followed_by_failure(call)
        or is_clock_controlled(module, call.scope)
        or _is_in_group_to_be_cancelled(call)
        or _is_given_less_time(call, seconds)
    )


def _is_given_less_time(call: Call, seconds: float) -> bool:
    """Whether a block that may be a timeout of any library gets less time than the sleep: `with limit(0.1):`.

    That number alone, and by its place: with more it may be anything, such as a client and the timeout of its requests.
    Where an `async with` is given a whole number, that is how many there are to be: `async with nodes(2):`.
    """
    module, scope = call.module, call.scope
    for _, context in contexts_around(module, call.node, scope):
        limit = number_of(module.value_of(context.args[0], scope)) if len(context.args) == 1 else None
        if limit is None or context.keywords or not 0 < limit < seconds:
            continue
        if not limit.is_integer() or not isinstance(entered_by(module, context), ast.AsyncWith):
            return True
    return False


def _is_followed_by_failure(call: Call) -> bool:
    """Whether the end of a sleep is not to be reached: `pytest.fail()` stands behind it."""
    after = next_statement(statement_of(call.node, call.scope), call.scope)
    return after is not None and always_fails(call.module, after, call.scope)


def _is_in_group_to_be_cancelled(call: Call) -> bool:
    """Whether a sleep stands in a group of tasks whose cancel scope was made use of before: `tg.cancel_scope.cancel()`.

    Cancelled, or with a deadline, it ends what is awaited in the group itself, too.
    """
    module, scope = call.module, call.scope
    groups = {
        item.optional_vars.id
        for around in module.ancestors(call.node, scope)
        if isinstance(around, ast.AsyncWith)
        for item in around.items
        if isinstance(item.optional_vars, ast.Name)
        and isinstance(item.context_expr, ast.Call)
        and module.qualified(item.context_expr.func, scope) in _GROUPS
    }
    return any(
        place_of(load) < place_of(call.node) and _is_asked_for_scope(scope.parents[load])
        for name in groups
        for load in loads_of(module, name, scope)
    )


def _is_asked_for_scope(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "cancel_scope"
