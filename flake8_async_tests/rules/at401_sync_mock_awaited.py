"""AT401: the call of a mock that gives nothing awaitable is awaited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.coroutines.awaitables import Awaitable, awaitability_of, awaitability_of_result
from flake8_async_tests.inference.mocks.configuration import Setting
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.places.exceptions import is_expected_around
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT, Given
from flake8_async_tests.mock_edits import awaitable_instead
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT401", "sync-mock-awaited", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    mocks = mocks_of(module)
    if not mocks.names.are_there:
        return
    for node, scope in module.of_kind(ast.Await):
        if not isinstance(node.value, ast.Call):
            continue
        called = mocks.at(node.value.func, scope)
        is_wrong = called and all(_gives_nothing_awaitable(module, mock, node.value, scope) for mock in called)
        # The TypeError may be what the test is about.
        if is_wrong and not is_expected_around(module, node, scope, "builtins.TypeError"):
            yield Finding(
                node,
                f"await of a {called[0].kind.value}'s call raises a TypeError, which an `except Exception` swallows"
                " (use an AsyncMock)",
                awaitable_instead(module, called[0]) if len(called) == 1 else None,
            )


def _gives_nothing_awaitable(module: Module, mock: Mock, call: ast.Call, scope: Scope) -> bool:
    if not mock.kind.is_sync or not mock.is_open:
        return False
    mocks = mocks_of(module)
    effect = mocks.setting(mock, SIDE_EFFECT, call, scope)
    if isinstance(effect, Given):
        return awaitability_of_result(module, effect.value, effect.scope) is Awaitable.NO
    if effect is Setting.UNKNOWN and mocks.ever_given(mock, SIDE_EFFECT, scope):
        # In some branch, it may be: then that decides, and not the return value.
        return False
    result = mocks.setting(mock, RETURN_VALUE, call, scope)
    if isinstance(result, Given):
        return awaitability_of(module, result.value, result.scope) is Awaitable.NO
    return effect is Setting.NONE and result is Setting.NONE
