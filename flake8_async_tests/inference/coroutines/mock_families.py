"""What a file does with a mock and all that descends from it: what another class of mock would change.

A mock of another class makes other descendants, up to the methods of the protocols (`__aenter__`, `__getitem__`),
which have classes of their own.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines.awaitables import Awaitable, awaitability_of, awaitability_of_result
from flake8_async_tests.inference.coroutines.known import coroutine_function_named
from flake8_async_tests.inference.mocks.configuration import Setting
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT, Given, is_dunder
from flake8_async_tests.inference.values.receivers import method_with_first_parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Mock, Origin, Path
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How many attributes, calls and awaits behind a name are followed.
_MOST_STEPS = 32
# What only an AsyncMock has: `assert_awaited_once_with`, `assert_any_await`, `await_count`.
_OF_ASYNC_MOCKS = "await"


class Family:
    """A mock that is made somewhere, with the descendants whose class is its own."""

    def __init__(self) -> None:
        self.is_certain = True
        """Whether every name that may be one of them is certainly that."""
        self.awaited: set[Path] = set()
        """Those whose call is awaited where it stands."""
        self.called: set[Path] = set()
        """Those that are called otherwise."""
        self.asked_for_awaits: set[Path] = set()
        """Those that are asked what only an AsyncMock knows."""
        self.handed_on: set[Path] = set()
        """Those that others get to see, who may call them."""
        self.is_result_unclear = False
        """Whether awaiting the call of one of them, as an AsyncMock, may give another thing than was meant."""

    def below(self, path: Path, found: set[Path]) -> set[Path]:
        """Those of a set that are the descendant at a path, or descend from it."""
        return {each for each in found if each[: len(path)] == path}


def family_of(module: Module, origin: Origin) -> Family:
    """What is done with the mock that is made somewhere."""
    known = module.fact(_families)
    found = known.get(origin)
    if found is None:
        found = known[origin] = Family()
        _Follower(module, origin, found).follow()
    return found


def _families(_: Module) -> dict[Origin, Family]:
    return {}


class _Follower:
    """Follows the names that may hold a mock, and all that stands behind them."""

    def __init__(self, module: Module, origin: Origin, family: Family) -> None:
        self._module = module
        self._mocks = mocks_of(module)
        self._origin = origin
        self._family = family

    def follow(self) -> None:
        names = self._mocks.names
        for scope in self._module.index.scopes:
            for name in scope.loads:
                if name.id in names.names or self._is_owner(name, scope):
                    self._behind(name, scope)
        scope = self._origin.scope
        if self._origin.node in scope.parents:
            self._behind(self._origin.node, scope)
        for setting in self._module.fact(MockSettings).naming(RETURN_VALUE):
            path = setting.path[: setting.path.index(RETURN_VALUE)]
            if len(setting.path) > len(path) + 1 and any(
                self._is_of_family(mock) for mock in self._module.fact(MockSettings).mocks(setting, len(path))
            ):
                # What the result of a call is made of.
                self._family.is_result_unclear = True

    def _is_owner(self, name: ast.Name, scope: Scope) -> bool:
        """Whether a mock may be an attribute of what a name holds: `self.client`."""
        parent = scope.parents.get(name)
        return isinstance(parent, ast.Attribute) and parent.attr in self._mocks.names.attributes

    def _is_of_family(self, mock: Mock) -> bool:
        return mock.origin is self._origin and not any(is_dunder(name) for name in mock.path)

    def _behind(self, node: ast.expr, scope: Scope) -> None:
        """The chain of attributes and calls behind an expression."""
        parents = scope.parents
        is_mine = False
        for _ in range(_MOST_STEPS):
            found = self._mocks.at(node, scope)
            mine = [mock for mock in found if self._is_of_family(mock)]
            parent = parents.get(node)
            if mine:
                is_mine = True
                if len(found) > 1:
                    self._family.is_certain = False
                if not self._note(mine[0], node, parent, scope):
                    return
            if isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is node:
                node = parent
            elif (isinstance(parent, ast.Call) and parent.func is node) or isinstance(parent, ast.Await):
                assert isinstance(parent, ast.expr)
                node = parent
            else:
                return
        self._family.is_certain &= not is_mine

    def _note(self, mock: Mock, node: ast.expr, parent: ast.AST | None, scope: Scope) -> bool:
        """Note what is done with a mock; whether what stands behind it is worth a look."""
        family, path = self._family, mock.path
        if isinstance(parent, ast.Attribute):
            if _OF_ASYNC_MOCKS in parent.attr and mock.child(parent.attr) is None:
                family.asked_for_awaits.add(path)
            return True
        if isinstance(parent, ast.Call) and parent.func is node:
            outer = scope.parents.get(parent)
            if isinstance(outer, ast.Await):
                family.awaited.add(path)
                if not self._gives_its_result(mock, node, outer, scope):
                    family.is_result_unclear = True
            else:
                family.called.add(path)
            return True
        if (isinstance(parent, ast.Subscript) and parent.value is node) or isinstance(parent, ast.Await):
            return True
        if not self._stays_in_view(node, parent, scope):
            family.handed_on.add(path)
        return False

    def _gives_its_result(self, mock: Mock, node: ast.expr, outer: ast.Await, scope: Scope) -> bool:
        """Whether awaiting the call of an AsyncMock, instead of this mock, gives what the mock was told to give."""
        effect = self._mocks.setting(mock, SIDE_EFFECT, node, scope)
        if isinstance(effect, Given):
            if coroutine_function_named(self._module, effect.value, effect.scope):
                return True
            return awaitability_of_result(self._module, effect.value, effect.scope) is Awaitable.NO
        result = self._mocks.setting(mock, RETURN_VALUE, node, scope)
        if isinstance(result, Given):
            return awaitability_of(self._module, result.value, result.scope) is Awaitable.NO
        return effect is result is Setting.NONE and _is_only_looked_at(outer, scope)

    def _stays_in_view(self, node: ast.expr, parent: ast.AST | None, scope: Scope) -> bool:
        """Whether a mock that stands alone is looked at, entered, or given a name that is followed as well."""
        if isinstance(parent, (ast.Expr, ast.Compare, ast.Assert, ast.With, ast.AsyncWith, ast.withitem)):
            return True
        if isinstance(parent, (ast.For, ast.AsyncFor)):
            return parent.iter is node
        if isinstance(parent, (ast.Assign, ast.AnnAssign)):
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
            return all(self._is_followed(target, scope) for target in targets)
        if isinstance(parent, ast.keyword):
            maker = scope.parents.get(parent)
            return isinstance(maker, ast.Call) and self._mocks.constructed(maker, scope) is not None
        return False

    def _is_followed(self, target: ast.expr, scope: Scope) -> bool:
        if isinstance(target, ast.Name):
            return True
        if not isinstance(target, ast.Attribute):
            return False
        owner = target.value
        is_own = isinstance(owner, ast.Name) and method_with_first_parameter(self._module, owner, scope) is not None
        return is_own or bool(self._mocks.at(owner, scope))


def _is_only_looked_at(node: ast.Await, scope: Scope) -> bool:
    """Whether nothing is done with the result of an await that is another thing with a mock for it."""
    return not any(_goes_on(each, scope) for each in (node, *_names_for(node, scope)))


def _names_for(node: ast.Await, scope: Scope) -> Iterator[ast.expr]:
    """The names that the result of an await is given, where they are read."""
    parent = scope.parents.get(node)
    if isinstance(parent, (ast.Assign, ast.AnnAssign)):
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        yield from (load for load in scope.loads if load.id in names)


def _goes_on(node: ast.expr, scope: Scope) -> bool:
    parent = scope.parents.get(node)
    return (isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is node) or (
        isinstance(parent, ast.Call) and parent.func is node
    )
