"""Timeouts: what stands under one, and awaits that one may cut short."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import nodes_of, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Those that raise a TimeoutError when the time is up.
_BLOCKS = frozenset(
    {
        "anyio.fail_after",
        "anyio.fail_at",
        "async_timeout.timeout",
        "async_timeout.timeout_at",
        "asyncio.timeout",
        "asyncio.timeout_at",
    }
)

_WAITING = frozenset({"asyncio.wait_for"})

TIMEOUTS = _BLOCKS | {
    "anyio.CancelScope",
    "anyio.move_on_after",
    "anyio.move_on_at",
    "trio.CancelScope",
    "trio.fail_after",
    "trio.fail_at",
    "trio.move_on_after",
    "trio.move_on_at",
}
"""All that may cancel what stands in it when the time is up. They let every other exception through."""


def may_be_under_timeout_of_stack(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a stack of context managers entered a timeout before, and a node may still stand under it."""
    return any(place < place_of(node) for place in module.fact(_entered_by_stacks).get(scope, ()))


def _entered_by_stacks(module: Module) -> dict[Scope, list[Place]]:
    """Where a timeout is handed to a stack: `stack.enter_context(anyio.fail_after(1))`."""
    found: dict[Scope, list[Place]] = {}
    for call in module.method_calls("enter_async_context", "enter_context"):
        entered = call.argument(0, "cm")
        if isinstance(entered, ast.Call) and module.qualified(entered.func, call.scope) in TIMEOUTS:
            found.setdefault(call.scope, []).append(place_of(call.node))
    return found


def awaits_under_timeout(module: Module, body: Sequence[ast.stmt], scope: Scope) -> bool:
    """Whether a block awaits something under a timeout that stands in the block itself."""
    return any(_is_await_under_timeout(module, node, scope) for node in nodes_of(body))


def _is_await_under_timeout(module: Module, node: ast.AST, scope: Scope) -> bool:
    if isinstance(node, ast.Await):
        return isinstance(node.value, ast.Call) and _limits(module, node.value, _WAITING, scope)
    if not isinstance(node, (ast.With, ast.AsyncWith)):
        return False
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    is_timeout = any(_limits(module, call, _BLOCKS, scope) for call in calls)
    return is_timeout and any(isinstance(inner, _AWAITING) for inner in nodes_of(node.body))


def _limits(module: Module, call: ast.Call, names: frozenset[str], scope: Scope) -> bool:
    """Whether a call is one of these, with a limit: `asyncio.timeout(None)` has none."""
    if module.qualified(call.func, scope) not in names:
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return not any(isinstance(value, ast.Constant) and value.value is None for value in given)


_AWAITING = (ast.Await, ast.AsyncFor, ast.AsyncWith)
