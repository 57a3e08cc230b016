"""AT405: a method of the async protocols gets a mock of the wrong kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaitables import never_gives_awaitable
from flake8_async_tests.inference.mock_settings import MockSettings
from flake8_async_tests.inference.mocks import mocks_of
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from flake8_async_tests.inference.mock_settings import MockSetting
    from flake8_async_tests.source.module import Module

_AWAITED = ("__aenter__", "__aexit__", "__anext__")
_NOT_AWAITED = "__aiter__"


@rule("AT405", "wrong-mock-for-async-dunder", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    found: dict[ast.AST, Finding] = {}
    for setting in module.fact(MockSettings).naming(*_AWAITED, _NOT_AWAITED):
        message = _message(module, setting)
        if message:
            # One statement may give a mock to several names.
            found.setdefault(setting.node, Finding(setting.node, message))
    yield from found.values()


def _message(module: Module, setting: MockSetting) -> str:
    given = mocks_of(module).at(setting.value, setting.scope)
    if not given:
        return ""
    kind = given[0].kind.value
    if setting.name == _NOT_AWAITED and all(mock.kind.is_async for mock in given):
        return (
            f"__aiter__ is an {kind} here, but Python does not await what it returns: async for raises a TypeError"
            " (use a MagicMock)"
        )
    if setting.name in _AWAITED and all(never_gives_awaitable(module, mock, setting.scope) for mock in given):
        return f"{setting.name} is a {kind} here, but Python awaits what it returns: a TypeError (use an AsyncMock)"
    return ""
