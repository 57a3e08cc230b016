"""AT404: a mock of `__aexit__` or `__exit__` returns something true, which swallows what is raised in the block."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import add_argument, replace, unsafe
from flake8_async_tests.inference.mocks.entering import may_never_be_entered
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT, Given, Mock
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mocks.settings import MockSetting
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_EXITS = ("__aexit__", "__exit__")


@rule("AT404", "exit-mock-swallows-exceptions", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not mocks_of(module).names.are_there or "exit__" not in module.text:
        return
    found: dict[ast.AST, Finding] = {}
    for setting in module.fact(MockSettings).naming(*_EXITS):
        name = _exit_that_swallows(module, setting)
        if name:
            # One statement may give a mock to several names.
            found.setdefault(setting.node, Finding(setting.node, _message(name), _fix(module, setting)))
    for patch in mocks_of(module).patches_of(*_EXITS):
        name = patch.attribute_name
        if name and patch.new is None:
            put = mocks_of(module).put_there_by(patch)
            if put and all(_returns_something_true(module, name, mock, patch.scope) for mock in put):
                found[patch.call] = Finding(patch.call, _message(name))
    yield from found.values()


def _message(name: str) -> str:
    return (
        f"{name} returns something true here, so every failure inside the block vanishes, failed assertions"
        " too (set return_value=None)"
    )


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
    position = len(setting.path) - 1
    if setting.name == RETURN_VALUE:
        position -= 1
    name = setting.path[position]
    if name not in _EXITS or _is_of_what_was_entered(module, setting, position):
        return ""
    settings = module.fact(MockSettings)
    if settings.is_lost_on_instance(setting, position) or settings.is_told_further(setting):
        return ""
    if may_never_be_entered(module, setting, position):
        return ""
    if setting.name == name:
        return name if _makes_true_result(module, setting) else ""
    has_effect = any(
        mocks_of(module).ever_given(mock, SIDE_EFFECT, setting.scope) for mock in settings.mocks(setting, position + 1)
    )
    return name if _is_true(module, setting.value, setting.scope) and not has_effect else ""


def _is_of_what_was_entered(module: Module, setting: MockSetting, position: int) -> bool:
    """Whether the method is one of what a block got (`client.__aenter__.return_value`), which is not entered itself."""
    given = setting.path[:position]
    if given[-1:] != (RETURN_VALUE,) or given[-2:-1] not in (("__aenter__",), ("__enter__",)):
        return False
    settings = module.fact(MockSettings)
    if any(not mock.path for mock in settings.mocks(setting, position)):
        # A mock of its own, such as the client itself.
        return False
    around = mocks_of(module).scopes_around(setting.scope)
    return not any(
        other.scope in around
        and _owner_of(other) == _owner_of(setting)
        and other.path[:position] == given
        and other.path[position : position + 1] in (("__aenter__",), ("__enter__",))
        for other in settings.naming("__aenter__", "__enter__")
    )


def _owner_of(setting: MockSetting) -> str:
    return path_of(setting.owner) if setting.owner is not None else ""


def _makes_true_result(module: Module, setting: MockSetting) -> bool:
    """Whether the mock that is assigned, in this very place, returns something true when it is called or awaited."""
    value = setting.value
    origin = mocks_of(module).constructed(value, setting.scope) if isinstance(value, ast.Call) else None
    return origin is not None and _returns_something_true(module, setting.name, Mock(origin), setting.scope)


def _returns_something_true(module: Module, name: str, mock: Mock, scope: Scope) -> bool:
    origin = mock.origin
    if mock.path or not origin.is_open:
        return False
    if name == "__aexit__" and not origin.kind.is_async:
        # What it returns cannot be awaited: a TypeError, which swallows nothing.
        return False
    mocks = mocks_of(module)
    if mocks.ever_given(mock, SIDE_EFFECT, scope):
        return False
    results = mocks.ever_given(mock, RETURN_VALUE, scope)
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
