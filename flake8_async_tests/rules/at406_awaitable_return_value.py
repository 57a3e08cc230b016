"""AT406: an AsyncMock is told to return something awaitable, which its await hands over un-awaited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaitables import Awaitable, awaitability_of, awaitability_of_result
from flake8_async_tests.inference.mock_settings import MockSettings
from flake8_async_tests.inference.mock_values import RETURN_VALUE, SIDE_EFFECT
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mock_settings import MockSetting
    from flake8_async_tests.source.module import Module


@rule("AT406", "awaitable-return-value", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for setting in module.fact(MockSettings).naming(RETURN_VALUE, SIDE_EFFECT):
        if _may_be_awaitable(setting) and _gives_awaitable(module, setting) and _is_of_async_mock(module, setting):
            yield Finding(
                setting.value,
                f"{setting.name} is awaitable, and an AsyncMock hands it over un-awaited (give what it comes to)",
            )


def _may_be_awaitable(setting: MockSetting) -> bool:
    if setting.name == SIDE_EFFECT:
        return isinstance(setting.value, ast.Lambda)
    return setting.name == RETURN_VALUE and isinstance(setting.value, (ast.Call, ast.Name, ast.Attribute))


def _gives_awaitable(module: Module, setting: MockSetting) -> bool:
    judge = awaitability_of_result if setting.name == SIDE_EFFECT else awaitability_of
    return judge(module, setting.value, setting.scope) is Awaitable.YES


def _is_of_async_mock(module: Module, setting: MockSetting) -> bool:
    owners = module.fact(MockSettings).mocks(setting, len(setting.path) - 1)
    return bool(owners) and all(mock.kind.is_async for mock in owners)
