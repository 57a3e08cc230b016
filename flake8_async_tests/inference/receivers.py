"""What a method is called on: `self` and `cls`."""

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


def class_of_receiver(module: Module, node: ast.expr, scope: Scope) -> Class | None:
    """The class behind `self`, `cls` or the name of a class of this file."""
    if not isinstance(node, ast.Name):
        return None
    definition = module.names.definition(node, scope)
    if isinstance(definition, ast.ClassDef):
        return module.class_of_node(definition)
    return class_of_first_parameter(module, node, scope)
