"""Tasks that a file starts, and the names that hold them.

Whether a task is handed over is the general question of `handover`, asked with `TASK`:
`is_handed_over(module, name, scope, TASK)`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_async_tests.inference.flow import Kind, bindings_at
from flake8_async_tests.inference.handover import Watch, is_handed_over, observations
from flake8_async_tests.inference.loops import loop_calls

if TYPE_CHECKING:
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

__all__ = ["TASK", "Assignment", "Watch", "assignment_of", "is_handed_over", "observations", "started_tasks"]

TASK = Watch(
    inert=frozenset(
        {
            "add_done_callback",
            "cancelled",
            "cancelling",
            "done",
            "get_context",
            "get_coro",
            "get_loop",
            "get_name",
            "get_stack",
            "print_stack",
            "remove_done_callback",
            "set_name",
            "uncancel",
        }
    )
)
"""A task is observed when it is awaited, cancelled, asked for its result or exception, or handed over."""

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
_METHODS_THAT_MAKE_FUTURES = frozenset({"create_future", "create_task", "run_in_executor", "submit"})


def started_tasks(module: Module) -> list[Call]:
    """The calls that start a task of asyncio: on the running loop, or on a known one. A TaskGroup's are its own."""
    found = module.calls("asyncio.create_task", "asyncio.Task")
    found += [call for call in module.calls("asyncio.ensure_future") if _makes_task(call)]
    found += loop_calls(module, "create_task")
    found.sort(key=lambda call: (call.node.lineno, call.node.col_offset))
    return found


def name_of_starter(call: Call) -> str:
    """What a message calls the function that starts something: a loop's methods have no qualified name."""
    function = call.node.func
    return call.name or (f"loop.{function.attr}" if isinstance(function, ast.Attribute) else "")


def _makes_task(call: Call) -> bool:
    """Whether `ensure_future` certainly gets a coroutine: a future it would only give back."""
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
    return not (isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS_THAT_MAKE_FUTURES)


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment to nothing but local names: `task = v`, `a = b = v`, `a, b = v, w`."""

    node: ast.Assign | ast.AnnAssign
    names: tuple[ast.Name, ...]
    """Those that get the value in question."""


def assignment_of(value: ast.expr, scope: Scope) -> Assignment | None:
    """The assignment whose right side a value is, or is an element of; None when it gives it to anything else."""
    parents = scope.parents
    parent = parents[value]
    if isinstance(parent, ast.AnnAssign):
        return Assignment(parent, (parent.target,)) if isinstance(parent.target, ast.Name) else None
    if isinstance(parent, ast.Assign):
        targets = parent.targets
    elif isinstance(parent, ast.Tuple) and isinstance(parents[parent], ast.Assign):
        position = parent.elts.index(value)
        parent = parents[parent]
        assert isinstance(parent, ast.Assign)
        targets = [_element(target, position, parent.value) for target in parent.targets]
    else:
        return None
    names = tuple(target for target in targets if isinstance(target, ast.Name))
    return Assignment(parent, names) if len(names) == len(targets) else None


def _element(target: ast.expr, position: int, value: ast.expr) -> ast.expr:
    """The part of a target that gets the part of a tuple at a position; the whole target when that is not clear."""
    if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(value, ast.Tuple):
        return value
    starred = any(isinstance(element, ast.Starred) for element in (*target.elts, *value.elts))
    return value if starred or len(target.elts) != len(value.elts) else target.elts[position]
