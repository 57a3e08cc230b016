"""AT507: a task is said to be done or cancelled before the event loop had a chance to run it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.assertions import assertion_of
from flake8_async_tests.inference.backends import runs_on_trio
from flake8_async_tests.inference.flow import Kind, bindings_at
from flake8_async_tests.inference.handover import observations
from flake8_async_tests.inference.places import is_cancelled_before, place_of
from flake8_async_tests.inference.suspension import is_suspended_between, runs_straight, statement_of
from flake8_async_tests.inference.tasks import TASK, Assignment, assignment_behind, is_started_task, is_task_of_group
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT507", "task-checked-too-early", knows=Knows.FILE, calls=("done", "cancelled"))
def check(module: Module) -> Iterator[Finding]:
    told: set[ast.AST] = set()
    for call in module.method_calls("done", "cancelled"):
        if call.function is None or not call.function.is_async:
            continue
        assertion = assertion_of(call)
        if assertion is None or assertion in told:
            continue
        since = _last_event(call)
        if since and not module.method_calls("set_task_factory") and not runs_on_trio(module, call.scope):
            told.add(assertion)
            yield Finding(
                assertion,
                f"the task is not {_method(call)} yet: {since} (await the task first)",
            )


def _method(call: Call) -> str:
    assert isinstance(call.node.func, ast.Attribute)
    return call.node.func.attr


def _last_event(call: Call) -> str:
    """What a message says of the task's start or cancellation with nothing awaited since, else ""."""
    name = receiver_of(call.node)
    if not isinstance(name, ast.Name):
        return ""
    start = _start_of(call.module, name, call)
    if start is None:
        return ""
    is_suspended = is_suspended_between(call.module, start.node, call.node, call.scope)
    if is_suspended and not is_cancelled_before(call.module, call.node, call.scope):
        return ""
    check = statement_of(call.node, call.scope)
    if runs_straight(call.module, statement_of(start.node, call.scope), check, call.scope):
        return "nothing was awaited since it was started, so it has not run"
    if _is_just_cancelled(call, start, check):
        return "cancel() only asks for it, and nothing was awaited since"
    return ""


def _start_of(module: Module, name: ast.Name, call: Call) -> Assignment | None:
    """The assignment, in this function, of the task that a name certainly holds."""
    bindings = bindings_at(module, name, call.scope)
    if len(bindings) != 1 or bindings[0].kind is not Kind.ASSIGNED or bindings[0].scope is not call.scope:
        return None
    value = bindings[0].value
    if not isinstance(value, ast.Call) or keyword_value(value, "eager_start") is not None:
        return None
    if not is_started_task(module, value, call.scope) and not is_task_of_group(module, value, call.scope):
        return None
    return assignment_behind(bindings[0])


def _is_just_cancelled(call: Call, start: Assignment, check: ast.stmt) -> bool:
    """Whether the only cancellation of the task is just before, and nothing waited for the task before that."""
    module, scope = call.module, call.scope
    if not _groups_around(module, start.node, scope) <= _groups_around(module, check, scope):
        # The end of a TaskGroup has waited for it.
        return False
    seen = [
        place
        for name in start.names
        for place in observations(module, name, scope, TASK)
        if isinstance(place, ast.Name) and place_of(place) < place_of(check)
    ]
    cancelled = [_cancelling(place, scope) for place in seen]
    return bool(cancelled) and all(
        statement is not None and runs_straight(module, statement, check, scope) for statement in cancelled
    )


def _groups_around(module: Module, node: ast.AST, scope: Scope) -> set[ast.AST]:
    return {around for around in module.ancestors(node, scope) if isinstance(around, ast.AsyncWith)}


def _cancelling(name: ast.Name, scope: Scope) -> ast.stmt | None:
    """The statement `task.cancel()` in which a name stands."""
    method = scope.parents.get(name)
    if not isinstance(method, ast.Attribute) or method.attr != "cancel":
        return None
    called = scope.parents[method]
    if not isinstance(called, ast.Call) or called.func is not method:
        return None
    return statement_of(called, scope)
