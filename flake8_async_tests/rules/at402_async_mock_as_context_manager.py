"""AT402: what the call of an AsyncMock gives is entered or iterated, though it is a coroutine."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mock_settings import MockSettings
from flake8_async_tests.inference.mock_values import RETURN_VALUE
from flake8_async_tests.inference.mocks import mocks_of
from flake8_async_tests.inference.patch_targets import target_of
from flake8_async_tests.mock_edits import sync_descendant, sync_instead
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mock_settings import MockSetting
    from flake8_async_tests.inference.mock_values import Mock
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT402", "async-mock-as-context-manager", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not mocks_of(module).names.are_there:
        return
    for node, scope in module.of_kind(ast.AsyncWith):
        for item in node.items:
            called = _async_mocks_called(module, item.context_expr, scope)
            if called:
                yield Finding(
                    item.context_expr,
                    "async with gets a coroutine, for the call of an AsyncMock gives one: a TypeError"
                    " (make the method a MagicMock)",
                    _fix(module, called),
                )
    for loop, scope in module.of_kind(ast.AsyncFor):
        called = _async_mocks_called(module, loop.iter, scope)
        if called:
            yield Finding(
                loop.iter,
                "async for gets a coroutine, for the call of an AsyncMock gives one: a TypeError"
                " (make the method a MagicMock)",
                _fix(module, called),
            )
    found: dict[ast.AST, Finding] = {}
    for setting in module.fact(MockSettings).naming("__aenter__"):
        called = _configured_to_be_entered(module, setting)
        if called:
            message = (
                "__aenter__ is configured for what an AsyncMock returns, but its call gives a coroutine:"
                " async with raises a TypeError (make the method a MagicMock)"
            )
            found.setdefault(setting.node, Finding(setting.node, message, _fix(module, called)))
    yield from found.values()


def _fix(module: Module, mocks: tuple[Mock, ...]) -> Fix | None:
    """A MagicMock in the place of the mock that is called: given to the mock of which it is a method, or made."""
    if len(mocks) != 1:
        return None
    return sync_descendant(module, mocks[0]) if mocks[0].path else sync_instead(module, mocks[0])


def _configured_to_be_entered(module: Module, setting: MockSetting) -> tuple[Mock, ...]:
    """The AsyncMocks of whose result the path sets something of `__aenter__`."""
    for position, name in enumerate(setting.path):
        if name == "__aenter__" and setting.path[:position][-1:] == (RETURN_VALUE,):
            mocks = module.fact(MockSettings).mocks(setting, position - 1)
            if _all_async(mocks) and module.fact(_meant_to_be_awaited).isdisjoint(mocks):
                return mocks
    return ()


def _async_mocks_called(module: Module, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
    mocks = mocks_of(module).at(node.func, scope) if isinstance(node, ast.Call) else ()
    return mocks if _all_async(mocks) else ()


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
