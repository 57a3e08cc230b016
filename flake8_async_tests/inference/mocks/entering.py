"""Whether the block of a mock that is set up as a context manager is ever reached."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.replacing.mock_values import SIDE_EFFECT, Given
from flake8_async_tests.inference.values.flow import flow_of

if TYPE_CHECKING:
    from flake8_async_tests.inference.mocks.settings import MockSetting
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_ENTERING = {"__aexit__": "__aenter__", "__exit__": "__enter__"}
# What gives something, or may: an effect that is none of these raises, as far as can be told.
_GIVING = (ast.Constant, ast.Dict, ast.Lambda, ast.List, ast.Tuple)


def may_never_be_entered(module: Module, setting: MockSetting, position: int) -> bool:
    """Whether what has the exit at a place of the path may always raise as it is entered, as set up around there."""
    name = _ENTERING[setting.path[position]]
    if setting.owner is None:
        klass = module.class_at(setting.scope)
        method = klass.find_method(name) if klass is not None else None
        if method is not None and _only_raises(method):
            return True
    around = mocks_of(module).scopes_around(setting.scope)
    return any(
        other.scope in around
        and other.path[: position + 1] == (*setting.path[:position], name)
        and _has_same_owner(other, setting)
        and _may_raise(module, other, position)
        for other in module.fact(MockSettings).naming(name)
    )


def _has_same_owner(one: MockSetting, other: MockSetting) -> bool:
    if one.owner is None or other.owner is None:
        return one.owner is other.owner
    return ast.dump(one.owner) == ast.dump(other.owner)


def _may_raise(module: Module, setting: MockSetting, position: int) -> bool:
    """Whether what is set makes the method at this place of the path raise, whenever it is called."""
    behind = setting.path[position + 1 :]
    if behind:
        return behind == (SIDE_EFFECT,) and _is_raising(module, setting.value, setting.scope)
    function = module.function_by_name(setting.value, setting.scope)
    if function is not None:
        return _only_raises(function)
    mocks = mocks_of(module)
    return any(
        isinstance(given, Given) and _is_raising(module, given.value, given.scope)
        for mock in mocks.at(setting.value, setting.scope)
        for given in mocks.ever_given(mock, SIDE_EFFECT, setting.scope)
    )


def _is_raising(module: Module, effect: ast.expr, scope: Scope) -> bool:
    """Whether an effect is an exception, for all that can be told."""
    function = module.function_by_name(effect, scope)
    if function is not None:
        return _only_raises(function)
    return not isinstance(module.value_of(effect, scope), _GIVING)


def _only_raises(function: Function) -> bool:
    returns = function.is_generator or bool(function.scope.of(ast.Return))
    return not returns and not flow_of(function.module, function.scope).comes_to_end
