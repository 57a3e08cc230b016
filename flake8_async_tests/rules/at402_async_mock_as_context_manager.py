"""AT402: what the call of an AsyncMock gives is entered or iterated, though it is a coroutine."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mock_settings import MockSettings
from flake8_async_tests.inference.mock_values import RETURN_VALUE
from flake8_async_tests.inference.mocks import mocks_of
from flake8_async_tests.inference.patch_targets import target_of
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mock_settings import MockSetting
    from flake8_async_tests.inference.mock_values import Mock
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT402", "async-mock-as-context-manager", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    if not mocks_of(module).names.are_there:
        return
    for node, scope in module.of_kind(ast.AsyncWith):
        for item in node.items:
            if _is_call_of_async_mock(module, item.context_expr, scope):
                yield Finding(
                    item.context_expr,
                    "async with gets a coroutine, for the call of an AsyncMock gives one: a TypeError"
                    " (make the method a MagicMock)",
                )
    for loop, scope in module.of_kind(ast.AsyncFor):
        if _is_call_of_async_mock(module, loop.iter, scope):
            yield Finding(
                loop.iter,
                "async for gets a coroutine, for the call of an AsyncMock gives one: a TypeError"
                " (make the method a MagicMock)",
            )
    found: dict[ast.AST, Finding] = {}
    for setting in module.fact(MockSettings).naming("__aenter__"):
        if _configures_what_is_entered(module, setting):
            message = (
                "__aenter__ is configured for what an AsyncMock returns, but its call gives a coroutine:"
                " async with raises a TypeError (make the method a MagicMock)"
            )
            found.setdefault(setting.node, Finding(setting.node, message))
    yield from found.values()


def _configures_what_is_entered(module: Module, setting: MockSetting) -> bool:
    """Whether the path goes through `__aenter__` of what the call of an AsyncMock gives."""
    for position, name in enumerate(setting.path):
        if name == "__aenter__" and setting.path[:position][-1:] == (RETURN_VALUE,):
            mocks = module.fact(MockSettings).mocks(setting, position - 1)
            if _all_async(mocks) and module.fact(_meant_to_be_awaited).isdisjoint(mocks):
                return True
    return False


def _is_call_of_async_mock(module: Module, node: ast.expr, scope: Scope) -> bool:
    return isinstance(node, ast.Call) and _all_async(mocks_of(module).at(node.func, scope))


def _all_async(mocks: tuple[Mock, ...]) -> bool:
    return bool(mocks) and all(mock.kind.is_async and mock.is_open for mock in mocks)


def _meant_to_be_awaited(module: Module) -> set[Mock]:
    """Those whose call is awaited first, as in `async with await pool.acquire()`: in view, or by what they replace."""
    mocks = mocks_of(module)
    found: set[Mock] = set()
    for node, scope in module.of_kind(ast.Await):
        if isinstance(node.value, ast.Call):
            found.update(mocks.at(node.value.func, scope))
    for patch in mocks.patches:
        if target_of(module, patch).is_coroutine_function:
            found.update(mocks.put_there_by(patch))
    return found
