"""Tasks that a file starts, and the names that hold them.

Whether a task is handed over is the general question of `handover`, asked with `TASK`:
`is_handed_over(module, name, scope, TASK)`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import is_method_of_loop, is_stand_in, loop_calls
from flake8_async_tests.inference.places.assertions import assertion_of_each, assertion_that_denies
from flake8_async_tests.inference.uses.assignments import Assignment, assignment_behind, assignment_of
from flake8_async_tests.inference.uses.handover import (
    reads,
    reads_of_each,
)
from flake8_async_tests.inference.uses.watches import ADDING
from flake8_async_tests.inference.values.flow import Binding, Kind, bindings_at, class_of_parameter
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_STARTERS = ("asyncio.create_task", "asyncio.Task")
STARTING = (*_STARTERS, "asyncio.ensure_future")
"""What starts a task is one of these, or a method of that name."""
_COLLECTIONS = frozenset({"builtins.frozenset", "builtins.list", "builtins.set", "builtins.tuple"})
_DISPLAYS = (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Set, ast.SetComp, ast.Tuple)
# How many expressions a collection of tasks is put together from before it counts as unknown.
_MOST_EXPRESSIONS = 64

_MAKERS_OF_FUTURES = frozenset(
    {
        "asyncio.Future",
        "asyncio.Task",
        "asyncio.create_task",
        "asyncio.ensure_future",
        "asyncio.gather",
        "asyncio.run_coroutine_threadsafe",
        "asyncio.shield",
        "asyncio.wrap_future",
    }
)
_FUTURE_TYPES = frozenset({"asyncio.Future", "asyncio.Task", "concurrent.futures.Future"})
_EXECUTORS = frozenset({"concurrent.futures.ProcessPoolExecutor", "concurrent.futures.ThreadPoolExecutor"})
_METHODS_THAT_MAKE_FUTURES = frozenset({"create_future", "create_task", "run_in_executor", "submit"})


def started_tasks(module: Module, condition: Callable[[Call], bool]) -> list[Call]:
    """The calls that start a task of asyncio: on the running loop, or on a known one. A TaskGroup's are its own.

    Only those that meet a condition: whose loop it is costs something to find out.
    """
    found = list(filter(condition, module.calls(*_STARTERS)))
    found += [call for call in module.calls("asyncio.ensure_future") if condition(call) and _makes_task(call)]
    found += loop_calls(module, "create_task", where=condition)
    found.sort(key=lambda call: (call.node.lineno, call.node.col_offset))
    return found


def started_or_gathered(module: Module, condition: Callable[[Call], bool]) -> list[Call]:
    """The same, and then those that gather several."""
    return [*started_tasks(module, condition), *filter(condition, module.calls("asyncio.gather"))]


def is_started_task(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a call that starts a task."""
    if not isinstance(node, ast.Call):
        return False
    call = module.call_at(node, scope)
    if call.name == "asyncio.ensure_future":
        return _makes_task(call)
    return call.name in _STARTERS or is_method_of_loop(module, node.func, scope, "create_task")


def is_task_of_group(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a call of `create_task` on an `asyncio.TaskGroup` that was entered in view."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "create_task":
        return False
    bindings = bindings_at(module, node.func.value, scope)
    return bool(bindings) and all(
        binding.kind is Kind.ENTERED_ASYNC
        and isinstance(binding.value, ast.Call)
        and module.qualified(binding.value.func, binding.scope) == "asyncio.TaskGroup"
        for binding in bindings
    )


def is_future(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression certainly is a task or a future: made on the spot, or under a name in view."""
    if isinstance(node, ast.Call):
        return _makes_future(module, node, scope)
    bindings = bindings_at(module, node, scope)
    return bool(bindings) and all(_holds_future(module, binding) for binding in bindings)


def _holds_future(module: Module, binding: Binding) -> bool:
    if isinstance(binding.node, ast.arg):
        return class_of_parameter(module, binding) in _FUTURE_TYPES
    if binding.value is None:
        return False
    if binding.kind is Kind.ITERATED:
        return names_of_tasks(module, binding.value, binding.scope) is not None
    is_call = binding.kind is Kind.ASSIGNED and isinstance(binding.value, ast.Call)
    return is_call and is_future(module, binding.value, binding.scope)


def _makes_future(module: Module, call: ast.Call, scope: Scope) -> bool:
    if module.qualified(call.func, scope) in _MAKERS_OF_FUTURES:
        return True
    function = call.func
    if is_method_of_loop(module, function, scope, "create_future", "create_task", "run_in_executor"):
        return True
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr == "submit":
        return _is_executor(module, function.value, scope)
    return is_task_of_group(module, call, scope)


def _is_executor(module: Module, node: ast.expr, scope: Scope) -> bool:
    bindings = bindings_at(module, node, scope)
    return bool(bindings) and all(
        isinstance(binding.value, ast.Call) and module.qualified(binding.value.func, binding.scope) in _EXECUTORS
        for binding in bindings
    )


def names_of_tasks(module: Module, node: ast.expr, scope: Scope) -> tuple[ast.Name, ...] | None:
    """The local names under which started tasks are known that an expression is, or is a collection of.

    None when it is, or holds, anything else.
    """
    names: list[ast.Name] = []
    todo = [node]
    for _ in range(_MOST_EXPRESSIONS):
        if not todo:
            return tuple(names)
        node = todo.pop()
        if is_started_task(module, node, scope):
            continue
        if isinstance(node, ast.Name):
            found = _assigned_to(module, node, scope)
            if found is None:
                return None
            names.append(found[0])
            todo += [found[1], *_added_to(module, found[0], scope)]
            continue
        parts = _parts_of(module, node, scope)
        if parts is None:
            return None
        todo += parts
    return None


def _assigned_to(module: Module, name: ast.Name, scope: Scope) -> tuple[ast.Name, ast.expr] | None:
    """The only assignment that a name can come from: the name there, and what it was given."""
    bindings = [each for each in bindings_at(module, name, scope) if not _is_rest(module, each, name)]
    if len(bindings) != 1 or bindings[0].kind is not Kind.ASSIGNED or bindings[0].scope is not scope:
        return None
    value = bindings[0].value
    assignment = assignment_behind(bindings[0])
    if value is None or assignment is None:
        return None
    return next(target for target in assignment.names if target.id == name.id), value


def _is_rest(module: Module, binding: Binding, name: ast.Name) -> bool:
    """Whether a name gets a part of what was under it before: `done, tasks = await asyncio.wait(tasks)`."""
    awaited = binding.value
    call = awaited.value if isinstance(awaited, ast.Await) else None
    return (
        binding.kind is Kind.UNPACKED
        and isinstance(call, ast.Call)
        and module.qualified(call.func, binding.scope) == "asyncio.wait"
        and any(isinstance(argument, ast.Name) and argument.id == name.id for argument in call.args)
    )


def _added_to(module: Module, name: ast.Name, scope: Scope) -> list[ast.expr]:
    """What is put into a collection later: `tasks.append(..)`, `tasks.add(..)`."""
    found: list[ast.expr] = []
    for load in reads(module, name, scope):
        method = scope.parents[load]
        call = scope.parents[method]
        if (
            isinstance(method, ast.Attribute)
            and isinstance(call, ast.Call)
            and method.attr in ("add", "append", "extend")
        ):
            found += call.args
    return found


def _parts_of(module: Module, node: ast.expr, scope: Scope) -> list[ast.expr] | None:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return [node.elt]
    if isinstance(node, ast.Starred):
        return [node.value]
    if isinstance(node, ast.Call) and module.qualified(node.func, scope) in _COLLECTIONS and not node.keywords:
        return node.args
    return None


def is_said_not_to_fail(module: Module, load: ast.Name, scope: Scope) -> bool:
    """Whether a test says, of a task or of each of several, that it was cancelled or still runs.

    A task that has failed is done and not cancelled: the test would fail with it.
    """
    parent = scope.parents[load]
    if isinstance(parent, (ast.For, ast.comprehension)) and load is parent.iter:
        target = parent.target
        return isinstance(target, ast.Name) and any(
            is_said_not_to_fail(module, each, scope) for each in reads(module, target, scope)
        )
    if is_said_cancelled(module, load, scope):
        return True
    asked = _call_of(load, "done", scope)
    return asked is not None and assertion_that_denies(module, asked, scope) is not None


def is_said_cancelled(module: Module, load: ast.Name, scope: Scope) -> bool:
    """Whether a test says of a task that it was cancelled: `assert task.cancelled()`."""
    asked = _call_of(load, "cancelled", scope)
    return asked is not None and assertion_of_each(module, asked, scope) is not None


def is_polled_until_done(module: Module, name: ast.Name, scope: Scope) -> bool:
    """Whether a loop goes on until a task, or each of several, is done: `while not task.done(): await sleep(0)`."""
    return any(
        (asked := _call_of(load, "done", scope)) is not None and ends_loop(asked, scope)
        for load in reads_of_each(module, name, scope)
    )


def ends_loop(asked: ast.Call, scope: Scope) -> bool:
    """Whether a loop ends by what is asked: by its own condition, or by that of an `if: break` in it."""
    child: ast.AST = asked
    parent = scope.parents[child]
    is_denied = False
    while isinstance(parent, (ast.expr, ast.comprehension)):
        is_denied ^= isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        child, parent = parent, scope.parents[parent]
    if isinstance(parent, ast.While):
        return is_denied
    return isinstance(parent, ast.If) and not is_denied and isinstance(parent.body[-1], ast.Break)


def _call_of(load: ast.Name, method: str, scope: Scope) -> ast.Call | None:
    """The call of a method on what a name holds."""
    attribute = scope.parents[load]
    call = scope.parents[attribute]
    is_called = isinstance(attribute, ast.Attribute) and attribute.attr == method and isinstance(call, ast.Call)
    return call if is_called and isinstance(call, ast.Call) and call.func is attribute else None


def name_of_starter(call: Call) -> str:
    """What a message calls the function that starts something: a loop's methods have no qualified name."""
    function = call.node.func
    return call.name or (f"loop.{function.attr}" if isinstance(function, ast.Attribute) else word_of(function))


def _makes_task(call: Call) -> bool:
    """Whether `ensure_future` certainly gets a coroutine, and no fake of a loop: a future it would only give back."""
    loop = keyword_value(call.node, "loop")
    if loop is not None and is_stand_in(call.module, loop, call.scope):
        return False
    argument = call.argument(0, "coro_or_future")
    if isinstance(argument, ast.Name):
        bindings = bindings_at(call.module, argument, call.scope)
        return bool(bindings) and all(
            binding.kind is Kind.ASSIGNED and _may_be_coroutine(call.module, binding.value, binding.scope)
            for binding in bindings
        )
    return _may_be_coroutine(call.module, argument, call.scope)


def _may_be_coroutine(module: Module, node: ast.expr | None, scope: Scope) -> bool:
    if not isinstance(node, ast.Call) or module.qualified(node.func, scope) in _MAKERS_OF_FUTURES:
        return False
    if isinstance(node.func, ast.Name) and isinstance(module.names.definition(node.func, scope), ast.ClassDef):
        # An instance may be a future of its own kind.
        return False
    return not (isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS_THAT_MAKE_FUTURES)


def kept_by(call: Call) -> Assignment | None:
    """The assignment that keeps a task: under a name of its own, or in a list, set, tuple or dict that has one."""
    scope = call.scope
    whole: ast.expr = call.node
    assignment = assignment_of(whole, scope)
    while assignment is None and isinstance(part_of := scope.parents[whole], _DISPLAYS):
        assert isinstance(part_of, ast.expr)
        whole = part_of
        assignment = assignment_of(whole, scope)
    return assignment or _collection_that_gets(call.module, whole, scope)


def _collection_that_gets(module: Module, task: ast.expr, scope: Scope) -> Assignment | None:
    """The assignment of a collection of the function's own making to which something is added."""
    adding = scope.parents[task]
    method = adding.func if isinstance(adding, ast.Call) else None
    if not isinstance(method, ast.Attribute) or method.attr not in ADDING:
        return None
    bindings = bindings_at(module, method.value, scope)
    value = bindings[0].value if len(bindings) == 1 and bindings[0].kind is Kind.ASSIGNED else None
    if value is None or bindings[0].scope is not scope or _parts_of(module, value, scope) is None:
        return None
    return assignment_behind(bindings[0])
