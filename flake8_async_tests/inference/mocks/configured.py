"""The names and paths of a file that something is set on: `m.get.return_value = 1` configures `m` and `m.get`."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import is_test_itself
from flake8_async_tests.inference.replacing.mock_values import RECORDS
from flake8_async_tests.inference.values.bindings import Kind, outermost_of, path_of
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.inference.values.receivers import is_method_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Methods of mocks that configure them, and functions that set an attribute of their first argument.
_CONFIGURING = frozenset({"attach_mock", "configure_mock", "mock_add_spec"})
_SETTING = frozenset({"multiple", "object", "setattr"})
_SETTING_FUNCTIONS = frozenset({"builtins.setattr", "unittest.mock.seal"})
# What gives a part of its first argument, or what decides about it.
_OF_FIRST_ARGUMENT = frozenset({"builtins.getattr", "builtins.type"})
_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)
ITEM = "[]"
"""What stands in a path for the items of something: `m["get"].return_value = 1` configures `m` and `m.[]`."""
# How many names for one another are followed.
_MOST_ALIASES = 4


class ConfiguredPaths:
    """Which paths of a file something is set on or below, and in which outermost function."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._roots: dict[str, set[Scope]] = {}
        self._owners: dict[str, set[Scope]] = {}
        self._handed: dict[str, set[Scope]] = {}
        self._imported: dict[str, set[Scope]] = {}
        for node, scope in _set_on(module):
            self._note(node, scope)
        for node, scope in _handed_to_functions(module):
            for path in self._note(node, scope):
                self._handed.setdefault(path, set()).add(outermost_of(scope))

    def _note(self, node: ast.expr, scope: Scope) -> list[str]:
        outermost = outermost_of(scope)
        imported = self._module.qualified(_known_part(self._module, node, scope)[0], scope)
        for name in (imported, *_owners_of(imported)):
            self._imported.setdefault(name, set()).add(outermost)
        paths = [path for path in _known_paths(self._module, node, scope) if path]
        for path in paths:
            self._roots.setdefault(path, set()).add(outermost)
            for owner in _owners_of(path):
                self._roots.setdefault(owner, set()).add(outermost)
                self._owners.setdefault(owner, set()).add(outermost)
        return paths

    def anywhere(self, path: str) -> bool:
        return path in self._roots

    def around(self, path: str, scope: Scope) -> bool:
        """Whether something is set on it in the same outermost function, or may be where what has it is handed to."""
        outermost = outermost_of(scope)
        return outermost in self._roots.get(path, ()) or any(
            outermost in self._handed.get(owner, ()) for owner in _owners_of(path)
        )

    def of_imported(self, qualified: str, scope: Scope) -> bool:
        """Whether something is set on what another module has under a name: `shop.send.return_value = 1`.

        What a test replaces it with is there for the test alone.
        """
        outermost = outermost_of(scope)
        found = self._imported.get(qualified, ())
        return outermost in found if is_test_itself(self._module, outermost) else bool(found)

    def on_an_attribute(self, path: str) -> bool:
        """Whether something is set on an attribute of it, or further down, and not only on itself."""
        return path in self._owners

    def on_an_attribute_around(self, path: str, scope: Scope) -> bool:
        """The same in one outermost function."""
        return outermost_of(scope) in self._owners.get(path, ())

    def of_any(self, attributes: str) -> bool:
        """Whether something is set on these attributes of anything, or on one further down."""
        return attributes in self._ends

    @cached_property
    def _ends(self) -> set[str]:
        """The paths without what they start from, and without some of the attributes behind that."""
        parts = (path.split(".") for path in self._roots)
        return {".".join(each[start:]) for each in parts for start in range(1, len(each))}


def _owners_of(path: str) -> Iterator[str]:
    owner = path.rpartition(".")[0]
    while owner:
        yield owner
        owner = owner.rpartition(".")[0]


def _set_on(module: Module) -> Iterator[tuple[ast.expr, Scope]]:
    """What is assigned an attribute or item, loses one, or is handed to something that sets them."""
    for kind in (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete):
        for node, scope in module.index.by_kind[kind]:
            assert isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete))
            for target in node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target]:
                for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                    if isinstance(part, (ast.Attribute, ast.Subscript)):
                        yield part.value, scope
    for call in module.method_calls(*_CONFIGURING):
        assert isinstance(call.node.func, ast.Attribute)
        yield call.node.func.value, call.scope
    for pairs in module.index.calls.values():
        for node, scope, _ in pairs:
            word = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if word in _SETTING or module.qualified(node.func, scope) in _SETTING_FUNCTIONS:
                yield from ((argument, scope) for argument in node.args[:1])


def _handed_to_functions(module: Module) -> Iterator[tuple[ast.expr, Scope]]:
    """What a function or method of this file gets, which may set anything on it."""
    for pairs in module.index.calls.values():
        for node, scope, _ in pairs:
            if _is_function_of_file(module, node.func, scope):
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    if not _is_outcome(argument):
                        yield argument, scope


def _is_function_of_file(module: Module, node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Attribute):
        return is_method_of_file(module, node, scope)
    return isinstance(module.names.definition(node, scope), (ast.FunctionDef, ast.AsyncFunctionDef))


def _is_outcome(node: ast.expr) -> bool:
    """Whether an expression is what a call gives, a coroutine mostly, or what a mock keeps of its calls."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute) and node.attr in RECORDS:
            return True
        node = node.value
    return isinstance(node, ast.Call)


def _known_paths(module: Module, node: ast.expr, scope: Scope) -> Iterator[str]:
    """The path in `m.get().json`, as far as it goes without a call: `m.get`; and what its name is another name for."""
    for _ in range(_MOST_ALIASES):
        known, root = _known_part(module, node, scope)
        path = path_of(known)
        yield path
        if path and any(isinstance(part, ast.Subscript) for part in ast.walk(node)):
            yield f"{path}.{ITEM}"
        if not isinstance(root, ast.Name):
            return
        owner = module.names.binding_scope(root.id, scope)
        behind = module.names.assigned_value(root.id, owner) if owner is not None else None
        if behind is None:
            yield from _paths_taken_apart(module, root, scope)
            return
        attributes = path.partition(".")[2]
        if attributes and isinstance(behind, ast.Call):
            # `service = Service(mock)`: what is set on an attribute of it may be set on what it was given.
            yield from map(path_of, (*behind.args, *(keyword.value for keyword in behind.keywords)))
        for attribute in attributes.split(".") if attributes else ():
            behind = ast.Attribute(behind, attribute, ast.Load())
        node = behind


def _paths_taken_apart(module: Module, name: ast.Name, scope: Scope) -> Iterator[str]:
    """What a loop or an unpacking takes a name from: `a` and `b` of `for name in (a, b):`, `a` of `name, other = a`."""
    for binding in bindings_at(module, name, scope):
        if binding.value is None:
            continue
        if isinstance(binding.node, _LOOPS):
            paths = [path_of(part) for part in ast.walk(binding.value) if isinstance(part, ast.expr)]
        else:
            paths = [path_of(binding.value)] if binding.kind is Kind.UNPACKED else []
        for path in filter(None, paths):
            yield path
            yield f"{path}.{ITEM}"


def _known_part(module: Module, node: ast.expr, scope: Scope) -> tuple[ast.expr, ast.expr]:
    """The part of an expression that is a mere path, and the name it starts from."""
    known = at = node
    while isinstance(at, (ast.Attribute, ast.Await, ast.Call, ast.NamedExpr, ast.Subscript)):
        if isinstance(at, ast.Attribute):
            at = at.value
        elif isinstance(at, ast.Await):
            known = at = at.value
        elif isinstance(at, ast.NamedExpr):
            known = at = at.target
        else:
            known = at = _called_or_asked(module, at, scope) if isinstance(at, ast.Call) else at.value
    return known, at


def _called_or_asked(module: Module, call: ast.Call, scope: Scope) -> ast.expr:
    """What is called, or in `getattr(m, name)` that which is asked for something."""
    is_about_first = bool(call.args) and module.qualified(call.func, scope) in _OF_FIRST_ARGUMENT
    return call.args[0] if is_about_first else call.func
