"""AT907: a test cancels a task and goes on as if it were over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.assertions import assertion_that_holds
from flake8_async_tests.inference.places.parts import is_test_itself, place_of
from flake8_async_tests.inference.tasks.known import ends_loop, names_of_tasks
from flake8_async_tests.inference.tasks.stragglers import may_be_found_later
from flake8_async_tests.inference.uses.assignments import assignment_behind
from flake8_async_tests.inference.uses.handover import Watch, observations
from flake8_async_tests.inference.uses.watches import TASK
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_DISPLAYS = (ast.List, ast.Set, ast.Tuple)
_COLLECTING = frozenset({"add", "append"})
# Cancelling it once more, or asking it what is not known yet, is no awaiting; nor is it to collect more of them.
_SEEN_TO = Watch(inert=TASK.inert | _COLLECTING | {"cancel", "exception", "result"})


@rule("AT907", "cancel-without-await", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in module.method_calls("cancel"):
        task = receiver_of(call.node)
        if not isinstance(task, ast.Name) or not is_test_itself(module, call.scope):
            continue
        names = _names_of(module, task, call.scope)
        if not names or any(name.id in _checked_after(module, call.node, call.scope) for name in names):
            continue
        if _are_seen_to(module, names, call.node, call.scope):
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
    loop = bindings[0].node if len(bindings) == 1 and bindings[0].kind is Kind.ITERATED else None
    if isinstance(loop, (ast.For, ast.comprehension)):
        names = names_of_tasks(module, loop.iter, scope)
        return [*names, loop.target] if names and isinstance(loop.target, ast.Name) else []
    if not names_of_tasks(module, task, scope):
        return []
    # `task = worker = create_task(..)`
    assignments = [assignment_behind(binding) for binding in bindings if binding.value is not None]
    return [name for assignment in assignments if assignment is not None for name in assignment.names]


def _checked_after(module: Module, cancel: ast.Call, scope: Scope) -> set[str]:
    """The names of tasks of which the test says later that they are over, or waits until they are."""
    checks = [
        check.node
        for check in module.method_calls("done", "cancelled")
        if check.scope is scope and (assertion_that_holds(check.node, scope) or ends_loop(check.node, scope))
    ]
    # These raise while it is not over.
    checks += (check.node for check in module.method_calls("exception", "result") if check.scope is scope)
    receivers = (receiver_of(check) for check in checks if place_of(check) > place_of(cancel))
    return {receiver.id for receiver in receivers if isinstance(receiver, ast.Name)}


def _are_seen_to(module: Module, names: list[ast.Name], cancel: ast.Call, scope: Scope) -> bool:
    """Whether tasks are awaited, or handed to somebody who may await them. The loop that cancels them is nobody."""
    loops = {
        id(part)
        for around in module.ancestors(cancel, scope)
        for loop in _loops_of(around)
        for part in (loop.iter, *(loop.iter.elts if isinstance(loop.iter, _DISPLAYS) else ()))
    }
    collections = {name.id for name in names}
    return any(
        id(seen) not in loops
        and not _is_collected(seen, collections, scope)
        and not _was_waited_for_before(module, seen, cancel, scope)
        for name in names
        for seen in observations(module, name, scope, _SEEN_TO)
    )


def _loops_of(node: ast.AST) -> Sequence[ast.For | ast.comprehension]:
    if isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
        return node.generators
    return [node] if isinstance(node, ast.For) else []


def _is_collected(node: ast.AST, collections: set[str], scope: Scope) -> bool:
    """Whether a task is only put to the others that are cancelled: `tasks.append(task)`."""
    call = scope.parents.get(node)
    method = call.func if isinstance(call, ast.Call) else None
    if not isinstance(method, ast.Attribute) or method.attr not in _COLLECTING:
        return False
    return isinstance(method.value, ast.Name) and method.value.id in collections


def _was_waited_for_before(module: Module, node: ast.AST, cancel: ast.Call, scope: Scope) -> bool:
    """Whether a task was only given a while to end by itself, before it was cancelled."""
    if node not in scope.parents or place_of(node) > place_of(cancel):
        return False
    around = list(module.ancestors(node, scope))
    statement = next(each for each in around if isinstance(each, ast.stmt))
    if not isinstance(statement, (ast.Assign, ast.Expr)) or not isinstance(statement.value, ast.Await):
        return False
    if not _waits_a_while(module, statement.value.value, scope) or any(isinstance(each, _LOOPS) for each in around):
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    kept = {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return not any(load.id in kept and place_of(load) > place_of(cancel) for load in scope.loads)


def _waits_a_while(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether a wait may give up and leave the task running: `asyncio.wait({task}, timeout=1)`."""
    if not isinstance(node, ast.Call):
        return False
    name = module.qualified(node.func, scope)
    if name == "asyncio.wait_for":
        shield = node.args[0] if node.args else None
        return isinstance(shield, ast.Call) and module.qualified(shield.func, scope) == "asyncio.shield"
    return name == "asyncio.wait" and keyword_value(node, "timeout") is not None
