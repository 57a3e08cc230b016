"""AT505: a test keeps a task that it started and never looks at it, so its failure is lost."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.told import tasks_may_be_heard_of
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import is_test_itself, place_of
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.tasks.done_callbacks import callback_looks_at
from flake8_async_tests.inference.tasks.known import STARTING, is_said_cancelled, started_or_gathered
from flake8_async_tests.inference.tasks.stragglers import may_be_found_later
from flake8_async_tests.inference.uses.assignments import assignment_by
from flake8_async_tests.inference.uses.handover import is_handed_over, reads
from flake8_async_tests.inference.uses.watches import TASK
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT505", "task-never-observed", knows=Knows.FILE, calls=(*STARTING, "asyncio.gather"))
def check(module: Module) -> Iterator[Finding]:
    for call in started_or_gathered(module, _is_kept_by_test):
        assignment = assignment_by(call)
        if assignment is None or any(name.id.startswith("_") for name in assignment.names):
            continue
        if any(_is_observed(module, name, call.scope) or _is_deleted(name, call.scope) for name in assignment.names):
            continue
        if may_be_found_later(call) or tasks_may_be_heard_of(module, call.scope) or function_may_be_replaced(call):
            continue
        if not runs_on_trio(module, call.scope):
            yield Finding(
                assignment.node,
                f"{_shown(assignment.names[0].id)} is started and never awaited: its failure is lost"
                " (await it, or cancel it and await that)",
            )


def _is_kept_by_test(call: Call) -> bool:
    return call.may_be_assigned and is_test_itself(call.module, call.scope)


def _is_observed(module: Module, name: ast.Name, scope: Scope) -> bool:
    return (
        is_handed_over(module, name, scope, TASK)
        or any(is_said_cancelled(module, load, scope) for load in reads(module, name, scope))
        or callback_looks_at(module, name, scope)
    )


def _is_deleted(name: ast.Name, scope: Scope) -> bool:
    """Whether a test lets go of the task by `del`: what comes of one that nobody looks at is what it tests."""
    return any(
        isinstance(binding, ast.Name) and isinstance(binding.ctx, ast.Del) and place_of(binding) > place_of(name)
        for binding in scope.bindings.get(name.id, ())
    )


def _shown(name: str) -> str:
    return "the task" if name == "task" else f"the task {name}"
