"""AT511: `asyncio.wait` waits for tasks, and nobody asks them how it went."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_before, lines_of, replace, spell, text_of, unsafe
from flake8_async_tests.inference.backends import runs_on_trio
from flake8_async_tests.inference.counting import is_asserted_empty, is_only_counted
from flake8_async_tests.inference.handover import is_shared
from flake8_async_tests.inference.places import clears_up, end_of, is_cancelled_before, is_test_code, place_of
from flake8_async_tests.inference.stragglers import may_be_found_later
from flake8_async_tests.inference.tasks import TASK, Watch, names_of_tasks, observations
from flake8_async_tests.rule import Edit, Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# A callback may look at the result.
_TASKS = Watch(inert=TASK.inert - {"add_done_callback"}, by_part=True)
_GATHERING_UP = frozenset(
    {"asyncio.wait", "builtins.frozenset", "builtins.list", "builtins.set", "builtins.sorted", "builtins.tuple"}
)


@rule("AT511", "discarded-wait-results", knows=Knows.FILE, fix="unsafe", calls=("asyncio.wait",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls("asyncio.wait"):
        awaited = call.holder
        if not is_test_code(module, call.scope):
            continue
        if not isinstance(awaited, ast.Await) or not is_only_counted(module, awaited, call.scope):
            continue
        if clears_up(module, awaited, call.scope) or is_cancelled_before(module, awaited, call.scope):
            continue
        if _may_be_read(call) or _is_race_of_waits(call) or _nothing_is_done(awaited, call):
            continue
        if may_be_found_later(call) or runs_on_trio(module, call.scope):
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
    tasks = call.argument(0, "fs")
    elements = tasks.elts if isinstance(tasks, (ast.List, ast.Set, ast.Tuple)) else []
    started = [element.args[0] for element in elements if isinstance(element, ast.Call) and element.args]
    return len(started) == len(elements) > 0 and all(_only_waits(module, waiting, scope) for waiting in started)


def _only_waits(module: Module, coroutine: ast.expr, scope: Scope) -> bool:
    if not isinstance(coroutine, ast.Call):
        return False
    if module.qualified(coroutine.func, scope) == "asyncio.sleep":
        return True
    receiver = receiver_of(coroutine)
    event = module.value_of(receiver, scope) if receiver is not None else None
    return isinstance(event, ast.Call) and module.qualified(event.func, scope) == "asyncio.Event"


def _nothing_is_done(awaited: ast.Await, call: Call) -> bool:
    """Whether the test fails when any of the tasks has come to an end: then there is no failure to lose."""
    assignment = call.scope.parents[awaited]
    if not isinstance(assignment, ast.Assign) or not isinstance(assignment.targets[0], (ast.Tuple, ast.List)):
        return False
    done = assignment.targets[0].elts[0]
    return isinstance(done, ast.Name) and is_asserted_empty(call.module, done, call.scope)


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
    while isinstance(parent, ast.Starred):
        child, parent = parent, parents[parent]
    if isinstance(parent, ast.Call) and child is not parent.func:
        method = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
        name = call.module.qualified(parent.func, call.scope)
        return name not in _GATHERING_UP and (bool(name) or method not in ("add", "append", "extend"))
    return isinstance(parent, ast.Await) or (isinstance(parent, ast.Attribute) and parent.attr == "add_done_callback")
