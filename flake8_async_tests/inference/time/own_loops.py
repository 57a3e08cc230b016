"""Whether tests run on an event loop of the project's own making, in which time may pass as that pleases."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.hooks import hooks_called

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_FIXTURE = "event_loop_policy"
_HOOK = "pytest_asyncio_loop_factories"
# The makers of loops on which a second takes a second.
_USUAL = ("asyncio.", "rloop.", "uvloop.", "winloop.")


def runs_on_loop_of_project(module: Module, klass: Class | None) -> bool:
    """Whether the loop of the tests of a file, or of a class in it, is made by something that is not known here."""
    fixture = module.fixture_graph.find(_FIXTURE, klass)
    if fixture is not None and _gives_loop_of_project(fixture.function):
        return True
    modules = (module, *module.project.conftests(module.directory).modules)
    return any(_gives_loop_of_project(hook) for each in modules for hook in _hooks_of(each))


def _hooks_of(module: Module) -> Iterator[Function]:
    for home, binding in hooks_called(module, _HOOK):
        function = home.function_of_node(binding)
        if function is not None:
            yield function


def _gives_loop_of_project(function: Function) -> bool:
    return any(
        _is_of_project(function.module, value, function.scope)
        for given in function.values_given()
        for value in _makers(given, function.module, function.scope)
    )


def _makers(node: ast.expr, module: Module, scope: Scope) -> Iterator[ast.expr]:
    """What may make the loop in the end: the classes and functions that are called, or given in a dict."""
    node = module.value_of(node, scope)
    if isinstance(node, ast.IfExp):
        yield from _makers(node.body, module, scope)
        yield from _makers(node.orelse, module, scope)
    elif isinstance(node, ast.Dict):
        yield from node.values
    else:
        yield node.func if isinstance(node, ast.Call) else node


def _is_of_project(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether something that makes loops, or policies that do, may make others than the usual ones."""
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return False
    definition = module.names.definition(node, scope)
    if isinstance(definition, ast.ClassDef):
        klass = module.class_of_node(definition)
        return klass is None or _changes_something(klass)
    if definition is not None:
        return True
    name = module.qualified(node, scope)
    return bool(name) and not name.startswith(_USUAL)


def _changes_something(klass: Class) -> bool:
    """Whether a class has methods of its own, or a base that is not known."""
    return any(
        each.methods or not all(base.startswith(_USUAL) for base in each.foreign_bases) for each in klass.lineage
    )
