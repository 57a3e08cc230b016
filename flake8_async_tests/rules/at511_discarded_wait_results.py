"""AT511: `asyncio.wait` waits for tasks, and nobody asks them how it went."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_before, lines_of, replace, spell, text_of, unsafe
from flake8_async_tests.inference.awaiting.counting import is_asserted_to_number, is_only_counted
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import clears_up, end_of, is_test_code, place_of
from flake8_async_tests.inference.places.suspension import is_last_to_raise
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.tasks.cancelled_before import is_cancelled_before
from flake8_async_tests.inference.tasks.known import is_said_not_to_fail, names_of_tasks
from flake8_async_tests.inference.tasks.stragglers import may_be_found_later
from flake8_async_tests.inference.uses.handover import Watch, is_handed_over, is_shared, loads_of, observations
from flake8_async_tests.inference.uses.watches import TASK
from flake8_async_tests.inference.values.flow import bindings_at, class_of_parameter
from flake8_async_tests.rule import Edit, Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# A callback may look at the result.
_TASKS = Watch(inert=TASK.inert - {"add_done_callback"}, by_part=True)
# To cancel one is no look at it.
_CANCELLED = Watch(inert=TASK.inert | {"cancel"})
_GATHERING_UP = frozenset(
    {"asyncio.wait", "builtins.frozenset", "builtins.list", "builtins.set", "builtins.sorted", "builtins.tuple"}
)


@rule("AT511", "discarded-wait-results", knows=Knows.FILE, fix="unsafe", calls=("asyncio.wait",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls("asyncio.wait"):
        awaited = call.holder
        if not is_test_code(module, call.scope):
            continue
        if not isinstance(awaited, ast.Await):
            continue
        if not is_only_counted(module, awaited, call.scope, passes_over=_is_cancelled_or_waited_for):
            continue
        if clears_up(module, awaited, call.scope) or is_cancelled_before(module, awaited, call.scope):
            continue
        if is_last_to_raise(module, awaited, call.scope):
            continue
        if _may_be_read(call) or _is_race_of_waits(call) or _failure_would_show(awaited, call):
            continue
        if may_be_found_later(call) or runs_on_trio(module, call.scope) or function_may_be_replaced(call):
            continue
        yield Finding(
            awaited,
            "asyncio.wait() raises nothing that its tasks raise, and nobody reads their results: failures vanish"
            " (use gather or a TaskGroup, or ask each task for its result())",
            _fix(call) if isinstance(call.scope.parents[awaited], ast.Expr) else None,
        )


def _fix(call: Call) -> Fix | None:
    """Without a timeout and the like `gather` waits for the same, and raises what went wrong."""
    arguments = call.node.args
    if len(arguments) != 1 or call.node.keywords:
        return None
    if lines_of(call.module).between(end_of(call.node.func), place_of(arguments[0])).count("(") != 1:
        # In brackets of its own it cannot be unpacked.
        return None
    name = spell(call.module, call.scope, "asyncio", "gather", line=call.node.lineno)
    if name is None or not isinstance(arguments[0], (ast.Attribute, ast.Call, ast.List, ast.Name, ast.Set, ast.Tuple)):
        return None
    return unsafe(replace(call.node.func, name.text), *_unpacked(call.module, arguments[0]), names=[name])


def _unpacked(module: Module, tasks: ast.expr) -> tuple[Edit, ...]:
    """The tasks as arguments of their own: without the brackets around them where these stand on one line."""
    if isinstance(tasks, (ast.List, ast.Set, ast.Tuple)) and tasks.elts and tasks.lineno == tasks.end_lineno:
        opening, closing = place_of(tasks), end_of(tasks)
        if not text_of(module, tasks)[:-1].rstrip().endswith(","):
            return (
                Edit(opening, (opening[0], opening[1] + 1), ""),
                Edit((closing[0], closing[1] - 1), closing, ""),
            )
    return (insert_before(tasks, "*"),)


def _is_race_of_waits(call: Call) -> bool:
    """Whether it is to end with the first of tasks that do nothing but wait, so that there is nothing to fail."""
    module, scope = call.module, call.scope
    until = keyword_value(call.node, "return_when")
    if until is None or module.qualified(until, scope) != "asyncio.FIRST_COMPLETED":
        return False
    started = [module.value_of(element, scope) for element in _elements(call)]
    return bool(started) and all(
        isinstance(task, ast.Call) and task.args and _only_waits(module, task.args[0], scope) for task in started
    )


def _elements(call: Call) -> list[ast.expr]:
    """The tasks that it waits for, where they stand in a list on the spot or under a name."""
    argument = call.argument(0, "fs")
    tasks = call.module.value_of(argument, call.scope) if argument is not None else None
    elements = tasks.elts if isinstance(tasks, (ast.List, ast.Set, ast.Tuple)) else []
    return [] if any(isinstance(element, ast.Starred) for element in elements) else elements


def _only_waits(module: Module, coroutine: ast.expr, scope: Scope) -> bool:
    if not isinstance(coroutine, ast.Call):
        return False
    if module.qualified(coroutine.func, scope) == "asyncio.sleep":
        return True
    receiver = receiver_of(coroutine)
    bindings = bindings_at(module, receiver, scope) if receiver is not None else ()
    return bool(bindings) and all(_is_event(module, binding) for binding in bindings)


def _is_event(module: Module, binding: Binding) -> bool:
    made = binding.value
    is_made = isinstance(made, ast.Call) and module.qualified(made.func, binding.scope) == "asyncio.Event"
    return is_made or class_of_parameter(module, binding) == "asyncio.Event"


def _is_cancelled_or_waited_for(module: Module, name: ast.Name, scope: Scope) -> bool:
    """Whether the tasks of a set are only cancelled, or waited for once more."""
    parent = scope.parents[name]
    if isinstance(parent, (ast.For, ast.comprehension)):
        target = parent.target
        return isinstance(target, ast.Name) and not is_handed_over(module, target, scope, _CANCELLED)
    return isinstance(parent, ast.Call) and module.qualified(parent.func, scope) == "asyncio.wait"


def _failure_would_show(awaited: ast.Await, call: Call) -> bool:
    """Whether the test fails when any of the tasks has come to an end by a failure: none is done, or all cancelled."""
    argument = call.argument(0, "fs")
    assert argument is not None
    return _nothing_is_done(awaited, call) or _none_may_have_failed(argument, call)


def _nothing_is_done(awaited: ast.Await, call: Call) -> bool:
    assignment = call.scope.parents[awaited]
    target = assignment.targets[0] if isinstance(assignment, ast.Assign) else None
    if not isinstance(target, (ast.Tuple, ast.List)) or len(target.elts) != 2:
        return False
    numbers = (0, len(_elements(call)))
    return any(
        isinstance(name, ast.Name)
        and (number or name is target.elts[0])
        and is_asserted_to_number(call.module, name, call.scope, number)
        for name, number in zip(target.elts, numbers, strict=True)
    )


def _none_may_have_failed(tasks: ast.expr, call: Call) -> bool:
    """Whether the test says, after the wait, of each of some tasks that it was cancelled or still runs."""
    module, scope = call.module, call.scope
    if isinstance(tasks, (ast.List, ast.Set, ast.Tuple)):
        return bool(tasks.elts) and all(_none_may_have_failed(element, call) for element in tasks.elts)
    if not isinstance(tasks, ast.Name):
        return False
    after = [load for load in loads_of(module, tasks.id, scope) if end_of(call.node) < place_of(load)]
    if any(is_said_not_to_fail(module, load, scope) for load in after):
        return True
    collection = module.value_of(tasks, scope)
    return not isinstance(collection, ast.Name) and _none_may_have_failed(collection, call)


def _may_be_read(call: Call) -> bool:
    """Whether some name of a task, or of a collection of them, is used after the wait, or that cannot be told.

    Before it a task may have got a callback, or been awaited or handed to something else.
    """
    argument = call.argument(0, "fs")
    names = names_of_tasks(call.module, argument, call.scope) if argument is not None else None
    if names is None:
        return True
    return any(
        is_shared(call.module, name.id, call.scope)
        or any(
            end_of(call.node) < place_of(place) or _is_seen_to(call, place)
            for place in observations(call.module, name, call.scope, _TASKS)
        )
        for name in names
    )


def _is_seen_to(call: Call, place: ast.AST) -> bool:
    """Whether what is done with a task before it is waited for may look at how it went."""
    parents = call.scope.parents
    child, parent = place, parents[place]
    while isinstance(parent, (ast.List, ast.Set, ast.Starred, ast.Tuple)):
        child, parent = parent, parents[parent]
    if isinstance(parent, ast.Call) and child is not parent.func:
        method = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
        name = call.module.qualified(parent.func, call.scope)
        return name not in _GATHERING_UP and (bool(name) or method not in ("add", "append", "extend"))
    return isinstance(parent, ast.Await) or (isinstance(parent, ast.Attribute) and parent.attr == "add_done_callback")
