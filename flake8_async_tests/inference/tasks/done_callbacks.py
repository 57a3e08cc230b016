"""Whether what a task comes to is looked at by way of a callback that it calls when it is done."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.tasks.callbacks import functions_behind, last_told
from flake8_async_tests.inference.uses.assignments import assignment_behind
from flake8_async_tests.inference.uses.handover import observations, reads
from flake8_async_tests.inference.uses.watches import COLLECTED
from flake8_async_tests.inference.values.flow import bindings_at

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_PUTTING = frozenset({"add", "append", "appendleft", "put_nowait", "set_result"})
_OUTCOMES = frozenset({"exception", "result"})


def callback_looks_at(module: Module, task: ast.Name, scope: Scope) -> bool:
    """Whether a callback of a task tells somebody what that came to, or puts the task where it is looked at."""
    return any(
        _hands_on_outcome(module, callback, scope) or _puts_where_it_is_seen(module, callback, scope)
        for load in reads(module, task, scope)
        if (callback := _callback_given(load, scope)) is not None
    )


def _callback_given(task: ast.Name, scope: Scope) -> ast.expr | None:
    method = scope.parents[task]
    call = scope.parents[method]
    if not isinstance(method, ast.Attribute) or method.attr != "add_done_callback" or not isinstance(call, ast.Call):
        return None
    return call.args[0] if call.func is method and call.args else None


def _hands_on_outcome(module: Module, callback: ast.expr, scope: Scope) -> bool:
    """Whether it asks what it is called with for its outcome, and tells of that: `seen.append(task.result())`."""
    return any(
        _asks_for_outcome(inner) and last_told(module, inner) != (0, 0)
        for inner in functions_behind(module, callback, scope)
    )


def _asks_for_outcome(callback: Scope) -> bool:
    assert isinstance(callback.node, (ast.FunctionDef, ast.Lambda))
    parameters = {argument.arg for argument in (*callback.node.args.posonlyargs, *callback.node.args.args)}
    return any(
        isinstance(around := callback.parents[load], ast.Attribute) and around.attr in _OUTCOMES
        for load in callback.loads
        if load.id in parameters
    )


def _puts_where_it_is_seen(module: Module, callback: ast.expr, scope: Scope) -> bool:
    """Whether it puts the task into something that is not the function's own, or whose parts are looked at there."""
    if not isinstance(callback, ast.Attribute) or callback.attr not in _PUTTING:
        return False
    if not isinstance(callback.value, ast.Name):
        return True
    assignments = [assignment_behind(binding) for binding in bindings_at(module, callback.value, scope)]
    return any(
        assignment is None
        or any(
            place is not callback.value
            for name in assignment.names
            for place in observations(module, name, scope, COLLECTED)
        )
        for assignment in assignments
    )
