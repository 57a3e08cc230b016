"""Where in a function a patch is over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import end_of, entered_by, place_of
from flake8_async_tests.inference.uses.assignments import assignment_of
from flake8_async_tests.inference.values.bindings import root_of
from flake8_async_tests.inference.values.flow import bindings_at

if TYPE_CHECKING:
    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# `patcher.stop()`, `mocker.stopall()`, `monkeypatch.undo()`
_PUTTING_BACK = ("stop", "stopall", "undo")


def end_of_patch(module: Module, call: ast.Call, scope: Scope) -> Place | None:
    """Where what a call patches is put back within the function; None when that is not before its end."""
    block = _block_of(module, call, scope)
    if block is not None:
        return end_of(block)
    assignment = assignment_of(call, scope)
    owners = {name.id for name in assignment.names} if assignment is not None else set()
    owners.add(_owner_of(call))
    ends = (
        place_of(each.node)
        for each in module.method_calls(*_PUTTING_BACK)
        if each.scope is scope and _owner_of(each.node) in owners
    )
    return min((end for end in ends if end > place_of(call)), default=None)


def _block_of(module: Module, call: ast.Call, scope: Scope) -> ast.With | ast.AsyncWith | None:
    """The block that enters a patch, or what it is made with: `with monkeypatch.context() as patcher`."""
    block = entered_by(module, call)
    if block is not None or not isinstance(call.func, ast.Attribute):
        return block
    values = [binding.value for binding in bindings_at(module, call.func.value, scope)]
    blocks = [entered_by(module, value) for value in values if value is not None]
    return blocks[0] if blocks else None


def _owner_of(call: ast.Call) -> str:
    root = root_of(call.func)
    return root.id if root is not None else ""
