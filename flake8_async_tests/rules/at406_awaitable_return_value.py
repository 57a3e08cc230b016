"""AT406: an AsyncMock is told to return something awaitable, which its await hands over un-awaited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaitables import Awaitable, awaitability_of, awaitability_of_result
from flake8_async_tests.inference.mock_settings import MockSettings
from flake8_async_tests.inference.mock_values import RETURN_VALUE, SIDE_EFFECT
from flake8_async_tests.inference.mocks import mocks_of
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mock_settings import MockSetting
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT406", "awaitable-return-value", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for setting in module.fact(MockSettings).naming(RETURN_VALUE, SIDE_EFFECT):
        if (
            _may_be_awaitable(module, setting)
            and _gives_awaitable(module, setting)
            and _is_of_async_mock(module, setting)
        ):
            yield Finding(
                setting.value,
                f"{setting.name} is awaitable, and an AsyncMock hands it over un-awaited (give what it comes to)",
            )


def _may_be_awaitable(module: Module, setting: MockSetting) -> bool:
    """A cheap look, for most values are literals or mocks."""
    value = setting.value
    if setting.name == SIDE_EFFECT:
        return isinstance(value, ast.Lambda)
    return setting.name == RETURN_VALUE and _may_hold_awaitable(module, value, setting.scope)


def _may_hold_awaitable(module: Module, node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Call):
        return mocks_of(module).constructed(node, scope) is None
    if not isinstance(node, ast.Name):
        return isinstance(node, ast.Attribute)
    owner = module.names.binding_scope(node.id, scope)
    if owner is None or not any(isinstance(binding, ast.Name) for binding in owner.bindings[node.id]):
        return False
    only = module.names.assigned_value(node.id, owner)
    if isinstance(only, ast.Call):
        return mocks_of(module).constructed(only, owner) is None
    return only is None or isinstance(only, (ast.Name, ast.Attribute))


def _gives_awaitable(module: Module, setting: MockSetting) -> bool:
    judge = awaitability_of_result if setting.name == SIDE_EFFECT else awaitability_of
    return judge(module, setting.value, setting.scope) is Awaitable.YES


def _is_of_async_mock(module: Module, setting: MockSetting) -> bool:
    owners = module.fact(MockSettings).mocks(setting, len(setting.path) - 1)
    return bool(owners) and all(mock.kind.is_async for mock in owners)
