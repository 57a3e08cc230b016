"""What leads to a mock without being one: a list of mocks, a service that was given one, what `getattr` finds on one.

What is set by such a way is set on a mock, but on which of them is not followed.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.bindings import bound_in

if TYPE_CHECKING:
    from flake8_async_tests.inference.mocks.known import Mocks
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_STEPS = (ast.Attribute, ast.Await, ast.NamedExpr, ast.Starred, ast.Subscript)
_COLLECTIONS = (ast.List, ast.Set, ast.Tuple)
# How many names and calls are followed back.
_DEPTH = 4


def may_lead_to_mock(module: Module, mocks: Mocks, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is no mock's own name or path but something by way of which one may be reached."""
    return _Ways(module, mocks).lead_back(node, scope, _DEPTH)


class _Ways:
    """Goes back from one expression to what it comes from, by each name once."""

    def __init__(self, module: Module, mocks: Mocks) -> None:
        self._module = module
        self._mocks = mocks
        self._seen: set[tuple[Scope, str]] = set()

    def lead_back(self, node: ast.expr, scope: Scope, depth: int) -> bool:
        """Whether an expression starts from something that holds a mock."""
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Call):
                arguments = (*node.args, *(keyword.value for keyword in node.keywords))
                if any(self._holds(argument, scope, depth - 1) for argument in arguments):
                    return True
                node = node.func
            elif isinstance(node, _STEPS):
                node = node.value
            else:
                return any(self._holds(part, scope, depth - 1) for part in _parts(node))
        owner = self._module.names.binding_scope(node.id, scope) if depth > 0 else None
        if owner is None or (depth == _DEPTH and self._mocks.at(node, scope)):
            # What is set on a path of a mock is known, whatever the mock was made with.
            return False
        if depth < _DEPTH:
            return self._is_bound_to_holder(node.id, owner, depth)
        known = self._module.fact(_known_names)
        if (owner, node.id) not in known:
            self._seen.clear()
            known[owner, node.id] = self._is_bound_to_holder(node.id, owner, depth)
        return known[owner, node.id]

    def _is_bound_to_holder(self, name: str, owner: Scope, depth: int) -> bool:
        if (owner, name) in self._seen:
            return False
        self._seen.add((owner, name))
        values = (binding.value for binding in bound_in(self._module, owner).get(name, ()))
        return any(value is not None and self._is_filled(value, owner, depth - 1) for value in values)

    def _is_filled(self, value: ast.expr, scope: Scope, depth: int) -> bool:
        """Whether what a name is bound to holds a mock; an empty list or dictionary gets what it holds later."""
        is_empty = isinstance(value, (ast.Dict, ast.List)) and not _parts(value)
        return is_empty or self._holds(value, scope, depth)

    def _holds(self, node: ast.expr, scope: Scope, depth: int) -> bool:
        """Whether an expression is a mock, or something that holds one."""
        return self._mocks.names.may_hold(node) or (depth > 0 and self.lead_back(node, scope, depth))


def _known_names(_: Module) -> dict[tuple[Scope, str], bool]:  # filled when one is asked for
    return {}


def _parts(node: ast.expr) -> list[ast.expr]:
    """What a list or dictionary that is made on the spot holds."""
    if isinstance(node, _COLLECTIONS):
        return node.elts
    return node.values if isinstance(node, ast.Dict) else []
