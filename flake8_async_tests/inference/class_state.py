"""What methods do to the attributes of their class: through `self`, through `cls`, or by the class's name."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.record import record
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_CHANGING_METHODS = (
    "add",
    "append",
    "appendleft",
    "clear",
    "difference_update",
    "discard",
    "extend",
    "extendleft",
    "insert",
    "intersection_update",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "reverse",
    "rotate",
    "setdefault",
    "sort",
    "symmetric_difference_update",
    "update",
)


class Doing(Enum):
    """What is done to an attribute."""

    SET = "self.x = .."
    CLEARED = "self.x.clear()"
    CHANGED = "self.x.append(..)"


@record
class Touch:
    """One thing that a method does to an attribute."""

    attribute: str
    doing: Doing
    method: Function
    """The method in which it stands, however deep."""
    klass: Class
    """The class that is reached through: the method's own one, or the one that is named."""
    through_class: bool
    node: ast.stmt | ast.expr


def touches(module: Module) -> list[Touch]:
    """Everything that is done to an attribute of a class in its methods, in the order of the file."""
    found = [touch for touch in _touches(module) if touch is not None]
    found.sort(key=lambda touch: (touch.node.lineno, touch.node.col_offset))
    return found


def _touches(module: Module) -> Iterator[Touch | None]:
    for assign, scope in module.of_kind(ast.Assign):
        for target in assign.targets:
            elements = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
            for element in elements:
                yield _assigned(module, assign, element, scope)
    for annotated, scope in module.of_kind(ast.AnnAssign):
        if annotated.value is not None:
            yield _assigned(module, annotated, annotated.target, scope)
    for augmented, scope in module.of_kind(ast.AugAssign):
        yield _augmented(module, augmented, scope)
    for call in module.method_calls(*_CHANGING_METHODS):
        function = call.node.func
        assert isinstance(function, ast.Attribute)
        is_whole = isinstance(function.value, ast.Attribute)
        doing = Doing.CLEARED if function.attr == "clear" and is_whole else Doing.CHANGED
        yield _touch(module, _without_items(function.value), doing, call.node, call.scope)


def _assigned(module: Module, node: ast.Assign | ast.AnnAssign, target: ast.expr, scope: Scope) -> Touch | None:
    if not isinstance(target, ast.Subscript):
        return _touch(module, target, Doing.SET, node, scope)
    # `self.x[:] = ..` leaves nothing of what was there.
    everything = isinstance(target.slice, ast.Slice) and target.slice.lower is None and target.slice.upper is None
    is_emptied = everything and isinstance(target.value, ast.Attribute)
    doing = Doing.CLEARED if is_emptied else Doing.CHANGED
    return _touch(module, _without_items(target), doing, node, scope)


def _augmented(module: Module, node: ast.AugAssign, scope: Scope) -> Touch | None:
    return _touch(module, _without_items(node.target), Doing.CHANGED, node, scope)


def _without_items(node: ast.expr) -> ast.expr:
    """`self.x` of `self.x["a"]["b"]`: what is changed within it, is changed in it."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


def _touch(module: Module, target: ast.expr, doing: Doing, node: ast.stmt | ast.expr, scope: Scope) -> Touch | None:
    if not isinstance(target, ast.Attribute):
        return None
    method = _method_around(module, scope)
    if method is None or method.klass is None:
        return None
    if _is_first_parameter(module, target.value, scope, method):
        through_class = any(decorator.name == "builtins.classmethod" for decorator in method.decorators)
        return Touch(target.attr, doing, method, method.klass, through_class, node)
    klass = _class_meant(module, target.value, scope, method)
    return Touch(target.attr, doing, method, klass, True, node) if klass is not None else None


def _method_around(module: Module, scope: Scope) -> Function | None:
    at: Scope | None = scope
    while at is not None:
        function = module.function_at(at)
        if function is not None and function.is_method:
            return function
        at = at.parent
    return None


def _is_first_parameter(module: Module, node: ast.expr, scope: Scope, method: Function) -> bool:
    arguments = arguments_of(method.node)
    return (
        isinstance(node, ast.Name)
        and bool(arguments)
        and node.id == arguments[0].arg
        and module.names.binding_scope(node.id, scope) is method.scope
        and not any(decorator.name == "builtins.staticmethod" for decorator in method.decorators)
    )


def _class_meant(module: Module, node: ast.expr, scope: Scope, method: Function) -> Class | None:
    """The class behind `TestOrders`, `type(self)`, `self.__class__`, or a name for one of them."""
    node = module.value_of(node, scope)
    if isinstance(node, ast.Call):
        of_self = len(node.args) == 1 and _is_first_parameter(module, node.args[0], scope, method)
        return method.klass if of_self and module.qualified(node.func, scope) == "builtins.type" else None
    if isinstance(node, ast.Attribute):
        of_self = node.attr == "__class__" and _is_first_parameter(module, node.value, scope, method)
        return method.klass if of_self else None
    definition = module.names.definition(node, scope)
    return module.class_of_node(definition) if isinstance(definition, ast.ClassDef) else None
