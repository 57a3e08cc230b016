"""What is set on functions and classes from outside: `test_tool.__test__ = False`, `setattr(TestOrders, name, it)`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

    _Attributes: TypeAlias = dict[str, dict[str, ast.expr]]


def set_from_outside(module: Module, name: str, scope: Scope) -> dict[str, ast.expr]:
    """The attributes that the module sets on one of its functions or classes, and their values."""
    return module.fact(_attributes).get(name, {}) if scope is module.scope else {}


def switch_from_outside(module: Module, name: str, scope: Scope) -> bool | None:
    """What `__test__` is set to; None where it is not. What cannot be told counts as False."""
    value = set_from_outside(module, name, scope).get("__test__")
    return None if value is None else isinstance(value, ast.Constant) and bool(value.value)


def is_set_by_name(module: Module, definition: ast.ClassDef) -> bool:
    """Whether `setattr` puts things of any name into a class."""
    return definition in module.fact(_set_by_name)


def _set_by_name(module: Module) -> set[ast.AST | None]:
    """The definitions into which `setattr` puts things of any name."""
    return {
        module.names.definition(call.node.args[0], call.scope)
        for call in module.calls("builtins.setattr")
        if call.node.args
    }


def _attributes(module: Module) -> _Attributes:
    found: _Attributes = {}
    # The walk notes them from the last to the first.
    for node, scope in reversed(module.index.settings):
        for target in node.targets if scope is module.scope else ():
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                found.setdefault(target.value.id, {})[target.attr] = node.value
    return found
