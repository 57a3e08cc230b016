"""AT507: a task is said to be done or cancelled before the event loop had a chance to run it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.told import loop_may_be_told
from flake8_async_tests.inference.places.assertions import assertion_of, assertion_of_each, assertion_that_denies
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.exceptions import is_expected_around
from flake8_async_tests.inference.places.parts import clears_up, end_of, is_test_itself, place_of
from flake8_async_tests.inference.places.suspension import is_suspended_between, runs_straight, statement_of
from flake8_async_tests.inference.tasks.cancelled_before import is_cancelled_before
from flake8_async_tests.inference.tasks.known import is_started_task, is_task_of_group, names_of_tasks
from flake8_async_tests.inference.uses.assignments import Assignment, assignment_behind
from flake8_async_tests.inference.uses.handover import observations, reads_of_each
from flake8_async_tests.inference.uses.watches import TASKS
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeGuard

    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_OVER = ("cancelled", "done")
_FAILURES = ("builtins.AssertionError", "builtins.Exception", "builtins.BaseException")
_HAS_NOT_RUN = "nothing was awaited since it was started, so it has not run"
_IS_ONLY_ASKED = "cancel() only asks for it, and nothing was awaited since"


@rule("AT507", "task-checked-too-early", knows=Knows.FILE, calls=_OVER)
def check(module: Module) -> Iterator[Finding]:
    told: set[ast.AST] = set()
    for call in module.method_calls(*_OVER):
        if call.function is None or not call.function.is_async:
            continue
        assertion, calls = _assertion_of(call)
        if assertion is None or assertion in told:
            continue
        events = [_last_event(each) for each in calls]
        if not all(events) or loop_may_be_told(module, call.scope, "set_task_factory"):
            continue
        if is_expected_around(module, call.node, call.scope, *_FAILURES):
            continue
        if not runs_on_trio(module, call.scope):
            told.add(assertion)
            yield Finding(
                assertion,
                f"the task is not {_method(call)} yet: {events[0]} (await the task first)",
            )


def _assertion_of(call: Call) -> tuple[ast.Assert | ast.Call | None, list[Call]]:
    """The assertion that fails unless a task, or each of several, is over, with the calls of which one must say so."""
    module, scope = call.module, call.scope
    if call.holder is not None or call.node in module.index.handed_to:
        return assertion_of(call), [call]
    either = scope.parents[call.node]
    if not isinstance(either, ast.BoolOp) or not isinstance(either.op, ast.Or):
        return assertion_of_each(module, call.node, scope), [call]
    calls = [module.call_at(value, scope) for value in either.values if _asks_task(value)]
    return assertion_of_each(module, either, scope) if len(calls) == len(either.values) else None, calls


def _asks_task(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _OVER


def _method(call: Call) -> str:
    assert isinstance(call.node.func, ast.Attribute)
    return call.node.func.attr


def _last_event(call: Call) -> str:
    """What a message says of the task's start or cancellation with nothing awaited since, else ""."""
    name = receiver_of(call.node)
    if isinstance(name, ast.Attribute):
        return _last_event_of_attribute(name, call)
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
        return _HAS_NOT_RUN
    return _IS_ONLY_ASKED if _is_just_cancelled(call, start, check) else ""


def _last_event_of_attribute(task: ast.Attribute, call: Call) -> str:
    """The same of a task that is kept in an attribute: `self.task`, which set-up may have started."""
    module, scope = call.module, call.scope
    bindings = bindings_at(module, task, scope)
    if len(bindings) != 1 or not _is_start(module, bindings[0].value, bindings[0].scope):
        return ""
    check = statement_of(call.node, scope)
    start = bindings[0]
    if start.scope is scope and runs_straight(module, statement_of(start.node, scope), check, scope):
        return _HAS_NOT_RUN
    # It may have come to its end before, and then it is done, but it was not cancelled.
    is_told = _method(call) == "cancelled" and _is_cancelled_once(task, call, check)
    return _IS_ONLY_ASKED if is_told and not _is_handled_elsewhere(module, task.attr, scope) else ""


def _is_cancelled_once(task: ast.Attribute, call: Call, check: ast.stmt) -> bool:
    """Whether all that a function does with a task in an attribute, up to a check just behind that, is to cancel it."""
    scope = call.scope
    seen = [node for node in _reads_of_attribute(task.attr, scope) if place_of(node) < place_of(check)]
    cancelled = [_cancelling(node, check, scope) for node in seen if path_of(node) == path_of(task)]
    return bool(cancelled) and all(
        statement is not None and runs_straight(call.module, statement, check, scope) for statement in cancelled
    )


def _is_handled_elsewhere(module: Module, attribute: str, scope: Scope) -> bool:
    """Whether something that may run before a check does anything with what is in an attribute."""
    return any(
        not clears_up(module, node, other)
        for other in module.index.scopes
        if other is not scope and not is_test_itself(module, other) and not _are_unrelated(module, other, scope)
        for node in _reads_of_attribute(attribute, other)
    )


def _are_unrelated(module: Module, *scopes: Scope) -> bool:
    """Whether two functions are methods of classes that have nothing to do with each other."""
    functions = [module.function_at(scope) for scope in scopes]
    one, other = (function.klass if function is not None else None for function in functions)
    return one is not None and other is not None and not one.is_related_to(other)


def _reads_of_attribute(attribute: str, scope: Scope) -> Iterator[ast.Attribute]:
    """Where a scope reads an attribute of that name, of whatever object that a name leads to."""
    for load in scope.loads:
        node = scope.parents[load]
        while isinstance(node, ast.Attribute):
            if node.attr == attribute and isinstance(node.ctx, ast.Load):
                yield node
            node = scope.parents[node]


def _start_of(module: Module, name: ast.Name, call: Call) -> Assignment | None:
    """The assignment, in this function, of the task that a name certainly holds, or of the tasks it is one of."""
    binding = _only_binding(module, name, call.scope)
    if binding is not None and binding.kind is Kind.ASSIGNED and isinstance(binding.value, ast.Name):
        # Another name for it.
        binding = _only_binding(module, binding.value, call.scope)
    if binding is not None and binding.kind is Kind.ITERATED and isinstance(binding.value, ast.Name):
        binding = _only_binding(module, binding.value, call.scope)
        value = binding.value if binding is not None else None
        if value is None or isinstance(value, ast.Call) or names_of_tasks(module, value, call.scope) != ():
            return None
    elif binding is None or not _is_start(module, binding.value, call.scope):
        return None
    return assignment_behind(binding) if binding is not None and binding.kind is Kind.ASSIGNED else None


def _only_binding(module: Module, name: ast.Name, scope: Scope) -> Binding | None:
    bindings = bindings_at(module, name, scope)
    return bindings[0] if len(bindings) == 1 and bindings[0].scope is scope else None


def _is_start(module: Module, value: ast.expr | None, scope: Scope) -> bool:
    if not isinstance(value, ast.Call) or keyword_value(value, "eager_start") is not None:
        return False
    return is_started_task(module, value, scope) or is_task_of_group(module, value, scope)


def _is_just_cancelled(call: Call, start: Assignment, check: ast.stmt) -> bool:
    """Whether the only cancellation of the task is just before, and nothing waited for the task before that."""
    module, scope = call.module, call.scope
    if not _groups_around(module, start.node, scope) <= _groups_around(module, check, scope):
        # The end of a TaskGroup has waited for it.
        return False
    seen = [
        place
        for name in start.names
        for place in observations(module, name, scope, TASKS)
        if isinstance(place, ast.Name) and place_of(place) < place_of(check)
    ]
    cancelled = [_cancelling(place, check, scope) for place in seen]
    return (
        bool(cancelled)
        and all(statement is not None and runs_straight(module, statement, check, scope) for statement in cancelled)
        and not _may_be_over_before(module, start, min(map(place_of, seen)), scope)
    )


def _may_be_over_before(module: Module, start: Assignment, cancelled: Place, scope: Scope) -> bool:
    """Whether the test finds out that a task is over before it cancels it, or that there was nothing to cancel."""
    for name in start.names:
        for load in reads_of_each(module, name, scope):
            call = scope.parents[scope.parents[load]]
            if not isinstance(call, ast.Call):
                continue
            is_denied = assertion_that_denies(module, call, scope) is not None
            if place_of(load) >= cancelled:
                if is_denied and not _asks_task(call):
                    return True
            elif _asks_task(call) and not is_denied:
                # A loop may wait in its body until it is so.
                asking = statement_of(call, scope)
                if is_suspended_between(module, start.node, asking, scope):
                    return True
    return False


def _groups_around(module: Module, node: ast.AST, scope: Scope) -> set[ast.AST]:
    return {around for around in module.ancestors(node, scope) if isinstance(around, ast.AsyncWith)}


def _cancelling(task: ast.expr, check: ast.stmt, scope: Scope) -> ast.stmt | None:
    """The statement `task.cancel()` in which a name stands, or the loop that does so for each task before a check."""
    method = scope.parents.get(task)
    if not isinstance(method, ast.Attribute) or method.attr != "cancel":
        return None
    called = scope.parents[method]
    if not isinstance(called, ast.Call) or called.func is not method:
        return None
    statement = statement_of(called, scope)
    loop = scope.parents[statement]
    return loop if isinstance(loop, ast.For) and place_of(check) >= end_of(loop) else statement
