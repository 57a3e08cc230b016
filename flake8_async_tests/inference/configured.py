"""The names and paths of a file that something is set on: `m.get.return_value = 1` configures `m` and `m.get`."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_async_tests.inference.bindings import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Methods of mocks that configure them, and functions that set an attribute of their first argument.
_CONFIGURING = frozenset({"attach_mock", "configure_mock", "mock_add_spec"})
# How many names for one another are followed.
_MOST_ALIASES = 4
_SETTING = frozenset({"multiple", "object", "setattr"})


class ConfiguredPaths:
    """Which paths of a file something is set on or below, and in which outermost function."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._roots: dict[str, set[Scope]] = {}
        for node, scope in _configured(module):
            for path in _known_paths(module, node, scope):
                while path:
                    self._roots.setdefault(path, set()).add(_outermost(scope))
                    path = path.rpartition(".")[0]

    def anywhere(self, path: str) -> bool:
        return path in self._roots

    def of_any(self, attributes: str) -> bool:
        """Whether something is set on these attributes of anything, or on one further down."""
        return attributes in self._ends

    @cached_property
    def _ends(self) -> set[str]:
        """The paths without what they start from, and without some of the attributes behind that."""
        parts = (path.split(".") for path in self._roots)
        return {".".join(each[start:]) for each in parts for start in range(1, len(each))}

    def around(self, path: str, scope: Scope) -> bool:
        """Whether something is set on it in the same outermost function."""
        return _outermost(scope) in self._roots.get(path, ())


def _configured(module: Module) -> Iterator[tuple[ast.expr, Scope]]:
    """What is assigned an attribute or item, or handed to something that may do that."""
    for kind in (ast.Assign, ast.AnnAssign, ast.AugAssign):
        for node, scope in module.index.by_kind[kind]:
            assert isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                    if isinstance(part, (ast.Attribute, ast.Subscript)):
                        yield part.value, scope
    for call in module.method_calls(*_CONFIGURING):
        assert isinstance(call.node.func, ast.Attribute)
        yield call.node.func.value, call.scope
    for pairs in module.index.calls.values():
        for node, scope, _ in pairs:
            yield from ((argument, scope) for argument in _may_be_set_on(module, node, scope))


def _may_be_set_on(module: Module, node: ast.Call, scope: Scope) -> list[ast.expr]:
    """On which of its arguments a call may set something: `setattr` on the first, a function of this file on any."""
    word = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if word in _SETTING or module.qualified(node.func, scope) == "builtins.setattr":
        return node.args[:1]
    definition = module.names.definition(node.func, scope)
    return node.args if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)) else []


def _known_paths(module: Module, node: ast.expr, scope: Scope) -> Iterator[str]:
    """The path in `m.get().json`, as far as it goes without a call: `m.get`; and what its name is another name for."""
    for _ in range(_MOST_ALIASES):
        known, root = _known_part(module, node, scope)
        path = path_of(known)
        yield path
        owner = module.names.binding_scope(root.id, scope) if isinstance(root, ast.Name) else None
        behind = module.names.assigned_value(root.id, owner) if isinstance(root, ast.Name) and owner else None
        if behind is None:
            return
        attributes = path.partition(".")[2]
        for attribute in attributes.split(".") if attributes else ():
            behind = ast.Attribute(behind, attribute, ast.Load())
        node = behind


def _known_part(module: Module, node: ast.expr, scope: Scope) -> tuple[ast.expr, ast.expr]:
    """The part of an expression that is a mere path, and the name it starts from."""
    known = at = node
    while isinstance(at, (ast.Attribute, ast.Call, ast.Subscript)):
        if isinstance(at, ast.Attribute):
            at = at.value
        else:
            known = at = _called_or_asked(module, at, scope) if isinstance(at, ast.Call) else at.value
    return known, at


def _called_or_asked(module: Module, call: ast.Call, scope: Scope) -> ast.expr:
    """What is called, or in `getattr(m, name)` that which is asked for something."""
    is_getattr = bool(call.args) and module.qualified(call.func, scope) == "builtins.getattr"
    return call.args[0] if is_getattr else call.func


def _outermost(scope: Scope) -> Scope:
    """The outermost function around a scope; the module or class for what stands in none."""
    found = scope
    at: Scope | None = scope
    while at is not None:
        if at.is_function:
            found = at
        at = at.parent
    return found
