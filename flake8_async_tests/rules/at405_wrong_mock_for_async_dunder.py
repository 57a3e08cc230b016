"""AT405: a method of the async protocols gets a mock of the wrong kind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import add_argument
from flake8_async_tests.inference.coroutines.awaitables import never_gives_awaitable
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT, MockKind
from flake8_async_tests.mock_edits import awaitable_instead, other_class, sync_instead
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mocks.settings import MockSetting
    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_AWAITED = ("__aenter__", "__aexit__", "__anext__")
_NOT_AWAITED = "__aiter__"


@rule("AT405", "wrong-mock-for-async-dunder", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not mocks_of(module).names.are_there or "__a" not in module.text:
        return
    found: dict[ast.AST, Finding] = {}
    settings = module.fact(MockSettings)
    for setting in settings.naming(*_AWAITED, _NOT_AWAITED):
        message = _message(module, setting.name, mocks_of(module).at(setting.value, setting.scope), setting.scope)
        if not message or (setting.name != _NOT_AWAITED and settings.is_told_further(setting)):
            continue
        if not settings.is_lost_on_instance(setting, len(setting.path) - 1):
            # One statement may give a mock to several names.
            found.setdefault(setting.node, Finding(setting.node, message, _fix(module, setting)))
    for patch in mocks_of(module).patches_of(*_AWAITED, _NOT_AWAITED):
        if patch.attribute_name and patch.new is None:
            message = _message(module, patch.attribute_name, mocks_of(module).put_there_by(patch), patch.scope)
            if message:
                found[patch.call] = Finding(patch.call, message)
    yield from found.values()


def _fix(module: Module, setting: MockSetting) -> Fix | None:
    """A mock of the right class, where one is made for this alone."""
    value = setting.value
    if isinstance(setting.node, ast.Assign) and len(setting.node.targets) > 1:
        return None
    if setting.name == "__anext__" and not (isinstance(value, ast.Call) and keyword_value(value, SIDE_EFFECT)):
        # One that gives the same again and again would never end the loop, which now fails at once.
        return None
    if not isinstance(value, ast.Call) or mocks_of(module).constructed(value, setting.scope) is None:
        return _fix_of_named(module, setting)
    if setting.name == _NOT_AWAITED:
        return other_class(module, value.func, setting.scope, MockKind.MAGIC)
    if setting.name != "__aexit__" or keyword_value(value, SIDE_EFFECT) is not None or len(value.args) > 1:
        return other_class(module, value.func, setting.scope, MockKind.ASYNC)
    # What an AsyncMock returns is true unless it is told: it would swallow all that is raised in the block.
    result = keyword_value(value, RETURN_VALUE)
    if result is None:
        nothing = add_argument(module, value, f"{RETURN_VALUE}=None")
        return other_class(module, value.func, setting.scope, MockKind.ASYNC, nothing)
    if isinstance(result, ast.Constant) and not result.value:
        return other_class(module, value.func, setting.scope, MockKind.ASYNC)
    return None


def _fix_of_named(module: Module, setting: MockSetting) -> Fix | None:
    """The same where the mock was made before."""
    given = mocks_of(module).at(setting.value, setting.scope)
    if len(given) != 1 or given[0].path or setting.name == "__aexit__":
        return None
    return sync_instead(module, given[0]) if setting.name == _NOT_AWAITED else awaitable_instead(module, given[0])


def _message(module: Module, name: str, given: tuple[Mock, ...], scope: Scope) -> str:
    if not given:
        return ""
    kind = given[0].kind.value
    if name == _NOT_AWAITED and all(mock.kind.is_async for mock in given):
        return (
            f"__aiter__ is an {kind} here, but Python does not await what it returns: async for raises a TypeError"
            " (use a MagicMock)"
        )
    if name in _AWAITED and all(never_gives_awaitable(module, mock, scope) for mock in given):
        return f"{name} is a {kind} here, but Python awaits what it returns: a TypeError (use an AsyncMock)"
    return ""
