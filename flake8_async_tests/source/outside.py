"""What is set on functions and classes from outside: `test_tool.__test__ = False`, `setattr(TestOrders, name, it)`.

Marks may be, too: `TestOrders.pytestmark = [...]`, or a call of the mark, `pytest.mark.asyncio(TestOrders)`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.source.decorators import MARK
from flake8_async_tests.source.marks import (
    NO_MARKS,
    OTHER_RUNNING_MARKS,
    RUNNING_MARKS,
    Mark,
    Marks,
    marks_in_values,
)

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

    _Attributes: TypeAlias = dict[str, dict[str, ast.expr]]


_PATHS = (ast.Attribute, ast.Call, ast.Subscript)


def set_from_outside(module: Module, name: str, scope: Scope) -> dict[str, ast.expr]:
    """The attributes that the module sets on one of its functions or classes, and their values."""
    return module.fact(_attributes).get(name, {}) if scope is module.scope else {}


def switch_from_outside(module: Module, name: str, scope: Scope) -> bool | None:
    """What `__test__` is set to; None where it is not. What cannot be told counts as False."""
    value = set_from_outside(module, name, scope).get("__test__")
    return None if value is None else isinstance(value, ast.Constant) and bool(value.value)


def marks_from_outside(module: Module, name: str, scope: Scope) -> Marks:
    """The marks that the module gives one of its functions or classes in statements of their own."""
    if scope is not module.scope:
        return NO_MARKS
    return module.fact(_marked).get(name, NO_MARKS)


def marks_everything(module: Module) -> bool:
    """Whether the module marks something that cannot be told by its name, in a loop over `globals()`, say."""
    found = (module.scope.bindings.get(name, ()) for name in module.fact(_marked))
    if any(bindings and all(isinstance(each, ast.Name) for each in bindings) for bindings in found):
        return True
    if any(call.scope is module.scope for call in module.calls(*_names_of_marks(module), where=_has_only_a_path)):
        return True
    return "pytestmark" in module.text and _sets_pytestmark_of_something(module)


def _sets_pytestmark_of_something(module: Module) -> bool:
    """`globals()["pytestmark"] = ...`, `sys.modules[__name__].pytestmark = ...`, or the same by `setattr`."""
    for node, _ in module.index.settings:
        for target in node.targets:
            if isinstance(target, ast.Subscript) and _is_pytestmark(target.slice):
                return True
            if (
                isinstance(target, ast.Attribute)
                and target.attr == "pytestmark"
                and target.value.__class__ is not ast.Name
            ):
                return True
    return any(_is_pytestmark(call.argument(1, "name")) for call in module.calls("builtins.setattr"))


def _is_pytestmark(name: ast.expr | None) -> bool:
    return isinstance(name, ast.Constant) and name.value == "pytestmark"


def _marked(module: Module) -> dict[str, Marks]:
    """By the name of what is marked."""
    found: dict[str, Marks] = {}
    for name, attributes in module.fact(_attributes).items():
        if "pytestmark" in attributes:
            found[name] = marks_in_values(module, [attributes["pytestmark"]], module.scope)
    for call in module.calls(*_names_of_marks(module), where=_has_only_a_name):
        marked = call.node.args[0]
        if call.scope is module.scope and isinstance(marked, ast.Name):
            mark = Mark(call.name[len(MARK) :], call.node.func, None)
            found[marked.id] = found.get(marked.id, NO_MARKS) + Marks([mark])
    return found


def _names_of_marks(module: Module) -> list[str]:
    """Those that may make something run an async test."""
    return [MARK + mark for mark in (*RUNNING_MARKS, *OTHER_RUNNING_MARKS, *module.options.marks)]


def _has_only_a_name(call: ast.Call) -> bool:
    return len(call.args) == 1 and call.args[0].__class__ is ast.Name and not call.keywords


def _has_only_a_path(call: ast.Call) -> bool:
    """`mark(globals()[name])`, `mark(getattr(module, name))`, `mark(TestOrders.test_one)`."""
    return len(call.args) == 1 and isinstance(call.args[0], _PATHS) and not call.keywords


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
