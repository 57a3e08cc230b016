"""Whether a function cancels a task, or something that may be one, before it gets to a place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.inference.tasks.callbacks import SCHEDULERS
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# What these give is cancelled without a task that comes to an end.
_MAKERS_OF_HANDLES = frozenset(SCHEDULERS)


def is_cancelled_before(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether the same function cancels something before it gets to a node, be it a task or what stops some."""
    first = module.fact(_first_cancels).get(scope)
    return first is not None and first < place_of(node)


def _first_cancels(module: Module) -> dict[Scope, Place]:
    cancels = reversed(module.method_calls("cancel"))
    return {call.scope: place_of(call.node) for call in cancels if _may_cancel_task(call)}


def _may_cancel_task(call: Call) -> bool:
    receiver = receiver_of(call.node)
    if receiver is None or mocks_of(call.module).at(receiver, call.scope):
        return False
    bindings = bindings_at(call.module, receiver, call.scope)
    return not bindings or not all(_is_handle(binding.value) for binding in bindings)


def _is_handle(value: ast.expr | None) -> bool:
    return (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _MAKERS_OF_HANDLES
    )
