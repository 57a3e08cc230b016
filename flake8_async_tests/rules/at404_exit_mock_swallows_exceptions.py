"""AT404: a mock of `__aexit__` or `__exit__` returns something true, which swallows what is raised in the block."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import add_argument, replace, unsafe
from flake8_async_tests.inference.mock_settings import MockSettings
from flake8_async_tests.inference.mock_values import RETURN_VALUE, SIDE_EFFECT, Given, Mock
from flake8_async_tests.inference.mocks import mocks_of
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mock_settings import MockSetting
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_EXITS = ("__aexit__", "__exit__")


@rule("AT404", "exit-mock-swallows-exceptions", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    found: dict[ast.AST, Finding] = {}
    for setting in module.fact(MockSettings).naming(*_EXITS):
        name = _exit_that_swallows(module, setting)
        if name:
            message = (
                f"{name} returns something true here, so every failure inside the block vanishes, failed assertions"
                " too (set return_value=None)"
            )
            # One statement may give a mock to several names.
            found.setdefault(setting.node, Finding(setting.node, message, _fix(module, setting)))
    yield from found.values()


def _fix(module: Module, setting: MockSetting) -> Fix | None:
    targets = setting.node.targets if isinstance(setting.node, ast.Assign) else []
    if len(targets) > 1 and not all(isinstance(each, ast.Attribute) and each.attr in _EXITS for each in targets):
        # What the mock gives elsewhere is not to be None.
        return None
    value = setting.value
    if setting.name == RETURN_VALUE or not isinstance(value, ast.Call):
        return unsafe(replace(value, "None"))
    given = keyword_value(value, RETURN_VALUE)
    return unsafe(replace(given, "None") if given is not None else add_argument(module, value, "return_value=None"))


def _exit_that_swallows(module: Module, setting: MockSetting) -> str:
    """The name of the method that the assignment makes return something true, or ""."""
    if setting.name in _EXITS:
        return setting.name if _makes_true_result(module, setting) else ""
    if setting.name == RETURN_VALUE and len(setting.path) > 1 and setting.path[-2] in _EXITS:
        has_effect = any(
            mocks_of(module).ever_given(mock, SIDE_EFFECT, setting.scope)
            for mock in module.fact(MockSettings).mocks(setting, len(setting.path) - 1)
        )
        return setting.path[-2] if _is_true(module, setting.value, setting.scope) and not has_effect else ""
    return ""


def _makes_true_result(module: Module, setting: MockSetting) -> bool:
    """Whether the mock that is assigned, in this very place, returns something true when it is called or awaited."""
    value = setting.value
    mocks = mocks_of(module)
    origin = mocks.constructed(value, setting.scope) if isinstance(value, ast.Call) else None
    if origin is None or not origin.is_open:
        return False
    if setting.name == "__aexit__" and not origin.kind.is_async:
        # What it returns cannot be awaited: a TypeError, which swallows nothing.
        return False
    mock = Mock(origin)
    if mocks.ever_given(mock, SIDE_EFFECT, setting.scope):
        return False
    results = mocks.ever_given(mock, RETURN_VALUE, setting.scope)
    return all(
        isinstance(given, Given) and given in origin.given and _is_true(module, given.value, given.scope)
        for given in results
    )


def _is_true(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether it is a literal that is true, or a mock made here."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return any(not isinstance(element, ast.Starred) for element in node.elts)
    if isinstance(node, ast.Dict):
        return any(key is not None for key in node.keys)
    return isinstance(node, ast.Call) and mocks_of(module).constructed(node, scope) is not None
