"""What a method is called on: `self`, `cls`, and the class of `self`; and which are asked for by name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


def method_with_first_parameter(module: Module, node: ast.Name, scope: Scope) -> Function | None:
    """The method whose `self` or `cls` a name is."""
    owner = module.names.binding_scope(node.id, scope)
    function = module.function_at(owner)
    if owner is None or function is None or not function.is_method or function.parameters[:1] != (node.id,):
        return None
    if len(owner.bindings[node.id]) != 1:
        return None
    is_static = any(decorator.name == "builtins.staticmethod" for decorator in function.decorators)
    return None if is_static else function


def class_of_first_parameter(module: Module, node: ast.Name, scope: Scope) -> Class | None:
    """The class whose methods `self` or `cls` has, when a name is one of these."""
    method = method_with_first_parameter(module, node, scope)
    return method.klass if method is not None else None


def is_method_of_file(module: Module, node: ast.Attribute, scope: Scope) -> bool:
    """Whether an attribute is a method of a class of this file, of `self`, `cls` or a class by its name."""
    klass = class_of_receiver(module, node.value, scope)
    return klass is not None and klass.find_method(node.attr) is not None


def names_asked_for(module: Module) -> frozenset[str]:
    """The names for which `getattr` is asked in a file, given as such or by a constant."""
    return module.fact(_names_asked_for)


def _names_asked_for(module: Module) -> frozenset[str]:
    calls = module.calls("builtins.getattr", where=lambda node: len(node.args) > 1)
    asked = [module.value_of(call.node.args[1], call.scope) for call in calls]
    return frozenset(each.value for each in asked if isinstance(each, ast.Constant) and isinstance(each.value, str))


def class_of_receiver(module: Module, node: ast.expr, scope: Scope) -> Class | None:
    """The class behind `self`, `cls`, `type(self)`, `self.__class__` or the name of a class of this file."""
    if not isinstance(node, ast.Name):
        instance = _whose_class(module, node, scope)
        method = method_with_first_parameter(module, instance, scope) if instance is not None else None
        return method.klass if method is not None and not method.is_classmethod else None
    definition = module.names.definition(node, scope)
    if isinstance(definition, ast.ClassDef):
        return module.class_of_node(definition)
    return class_of_first_parameter(module, node, scope)


def _whose_class(module: Module, node: ast.expr, scope: Scope) -> ast.Name | None:
    """The name in `type(self)` and `self.__class__`."""
    inner: ast.expr | None = None
    if isinstance(node, ast.Attribute) and node.attr == "__class__":
        inner = node.value
    elif isinstance(node, ast.Call) and len(node.args) == 1 and module.qualified(node.func, scope) == "builtins.type":
        inner = node.args[0]
    return inner if isinstance(inner, ast.Name) else None
