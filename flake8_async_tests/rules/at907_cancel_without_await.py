"""AT907: a test cancels a task and goes on as if it were over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.assertions import assertion_that_holds
from flake8_async_tests.inference.flow import Kind, bindings_at
from flake8_async_tests.inference.handover import Watch
from flake8_async_tests.inference.places import is_test_itself, place_of
from flake8_async_tests.inference.stragglers import may_be_found_later
from flake8_async_tests.inference.tasks import TASK, assignment_behind, names_of_tasks, observations
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Cancelling it once more, or asking it what is not known yet, is no awaiting; nor is it to collect more of them.
_SEEN_TO = Watch(inert=TASK.inert | {"add", "append", "cancel", "exception", "result"})


@rule("AT907", "cancel-without-await", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in module.method_calls("cancel"):
        task = receiver_of(call.node)
        if not isinstance(task, ast.Name) or not is_test_itself(module, call.scope):
            continue
        names = _names_of(module, task, call.scope)
        if not names or any(name.id in _checked_after(module, call.node, call.scope) for name in names):
            continue
        if any(_is_seen_to(module, name, call.node, call.scope) for name in names):
            continue
        if not may_be_found_later(call):
            yield Finding(
                call.node,
                f"{task.id}.cancel() only asks the task to stop: nothing waits until it has, so its clean-up runs"
                " into whatever comes next (await the task under contextlib.suppress(asyncio.CancelledError))",
            )


def _names_of(module: Module, task: ast.Name, scope: Scope) -> list[ast.Name]:
    """The local names of a started task, or of the collection that it comes from and of the loop's variable."""
    bindings = bindings_at(module, task, scope)
    if len(bindings) == 1 and bindings[0].kind is Kind.ITERATED and isinstance(bindings[0].node, ast.For):
        loop = bindings[0].node
        names = names_of_tasks(module, loop.iter, scope)
        return [*names, loop.target] if names and isinstance(loop.target, ast.Name) else []
    if not names_of_tasks(module, task, scope):
        return []
    # `task = worker = create_task(..)`
    assignments = [assignment_behind(binding) for binding in bindings if binding.value is not None]
    return [name for assignment in assignments if assignment is not None for name in assignment.names]


def _checked_after(module: Module, cancel: ast.Call, scope: Scope) -> set[str]:
    """The names of tasks of which the test says later that they are over, or waits until they are."""
    return {
        receiver.id
        for check in module.method_calls("done", "cancelled")
        if check.scope is scope and place_of(check.node) > place_of(cancel)
        if isinstance(receiver := receiver_of(check.node), ast.Name)
        and (assertion_that_holds(check.node, scope) or _is_polled(check.node, scope))
    }


def _is_polled(check: ast.Call, scope: Scope) -> bool:
    """Whether a loop goes on until a task is over: `while not task.done():`."""
    negation = scope.parents[check]
    loop = scope.parents[negation]
    return isinstance(negation, ast.UnaryOp) and isinstance(loop, ast.While) and loop.test is negation


def _is_seen_to(module: Module, name: ast.Name, cancel: ast.Call, scope: Scope) -> bool:
    """Whether a task is awaited, or handed to somebody who may await it. The loop that cancels it is nobody."""
    loops = {id(around.iter) for around in module.ancestors(cancel, scope) if isinstance(around, ast.For)}
    return any(id(observation) not in loops for observation in observations(module, name, scope, _SEEN_TO))
