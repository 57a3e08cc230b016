"""What is done with the attributes of each mock in a function: configured, called, awaited."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_async_tests.inference.mocks.settings import MockSetting
    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


# How many attributes, calls and awaits behind a name are followed.
_MOST_STEPS = 32


class Use(Enum):
    """What is done with an attribute of a mock."""

    GIVEN = "it was given a value of its own"
    CONFIGURED = "what it returns or does was configured"
    CALLED = "it was called"
    AWAITED = "it was called and awaited"
    OTHER = "it was looked at, or an assertion was made about it"


@record
class MockUse:
    """One use of an attribute of a mock, and the node to point at."""

    mock: Mock
    name: str
    use: Use
    node: ast.expr | ast.stmt | ast.keyword
    value: ast.expr | None
    """What it was given, or what was configured."""
    scope: Scope

    @property
    def place(self) -> tuple[int, int]:
        return self.node.lineno, self.node.col_offset


UsesByName = dict[str, list[MockUse]]


class MockUses:
    """The uses in some scopes, by the mock and the attribute."""

    def __init__(self, module: Module, scopes: Iterable[Scope]) -> None:
        self._module = module
        self._mocks = mocks_of(module)
        self.by_mock: dict[Mock, UsesByName] = {}
        for scope in scopes:
            for name in scope.loads:
                self._follow(name, scope)
            for setting in module.fact(_settings_by_scope).get(scope, ()):
                self._note_setting(setting)
        for uses in self.by_mock.values():
            for found in uses.values():
                found.sort(key=lambda use: use.place)

    def names_on(self, mock: Mock) -> UsesByName:
        """What is done with each attribute of a mock."""
        return self.by_mock.get(mock, {})

    def _note(self, use: MockUse) -> None:
        self.by_mock.setdefault(use.mock, {}).setdefault(use.name, []).append(use)

    def _note_setting(self, setting: MockSetting) -> None:
        """Every attribute on the way of a path that is given a value."""
        for position, name in enumerate(setting.path):
            is_last = position == len(setting.path) - 1
            if is_last and name in (RETURN_VALUE, SIDE_EFFECT):
                return
            mocks = self._module.fact(MockSettings).mocks(setting, position)
            if len(mocks) == 1:
                use = Use.GIVEN if is_last else Use.CONFIGURED
                self._note(MockUse(mocks[0], name, use, setting.node, setting.value, setting.scope))

    def _follow(self, name: ast.Name, scope: Scope) -> None:
        """The attributes and calls that stand behind a name."""
        parents = scope.parents
        at: ast.AST = name
        for _ in range(_MOST_STEPS):
            parent = parents.get(at)
            if isinstance(parent, ast.Attribute):
                if isinstance(parent.ctx, ast.Load) and isinstance(at, ast.expr):
                    self._note_read(parent, scope)
            elif not (isinstance(parent, ast.Call) and parent.func is at) and not isinstance(parent, ast.Await):
                return
            at = parent

    def _note_read(self, node: ast.Attribute, scope: Scope) -> None:
        mocks = self._mocks.at(node.value, scope)
        if len(mocks) != 1:
            return
        parents = scope.parents
        parent = parents.get(node)
        if isinstance(parent, ast.Attribute) and parent.attr in (RETURN_VALUE, SIDE_EFFECT):
            return
        if isinstance(parent, ast.Call) and parent.func is node:
            is_awaited = isinstance(parents.get(parent), ast.Await)
            use = Use.AWAITED if is_awaited else Use.CALLED
        else:
            use = Use.OTHER
        self._note(MockUse(mocks[0], node.attr, use, node, None, scope))


def _settings_by_scope(module: Module) -> dict[Scope, list[MockSetting]]:
    found: dict[Scope, list[MockSetting]] = {}
    for setting in module.fact(MockSettings).all():
        found.setdefault(setting.scope, []).append(setting)
    return found
