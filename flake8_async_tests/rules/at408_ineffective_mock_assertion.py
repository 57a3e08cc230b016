"""AT408: an expression that looks like a mock's assertion and checks nothing."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_after, safe
from flake8_async_tests.fixing.lines import end_of, start_of
from flake8_async_tests.inference.mocks.configuration import Setting
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.places.parts import is_expected_to_raise
from flake8_async_tests.inference.replacing.mock_values import (
    AWAIT_ASSERTIONS,
    BEGINNINGS_OF_ASSERTIONS,
    CALL_ASSERTIONS,
    RETURN_VALUE,
    SIDE_EFFECT,
)
from flake8_async_tests.rule import Edit, Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_REAL = AWAIT_ASSERTIONS | CALL_ASSERTIONS
_WITHOUT_ARGUMENTS = frozenset(
    name for name in _REAL if name.endswith(("assert_called", "assert_awaited", "_once", "_not_called", "_not_awaited"))
)
# `called` is a real attribute.
_WITHOUT_PREFIX = frozenset(name.removeprefix("assert_") for name in _REAL) - {"called"}
# Since Python 3.12 a mock refuses these.
_REFUSED = _WITHOUT_PREFIX - {name.removeprefix("assert_") for name in AWAIT_ASSERTIONS}
# Called, these are taken for what they look like whatever they are called on.
_ON_ANYTHING = frozenset({"awaited_once", "awaited_once_with", "has_awaits"})
_MOST_EDITS = 2


@rule("AT408", "ineffective-mock-assertion", knows=Knows.FILE, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    for attribute, scope in _looked_at(module):
        message = _message(module, attribute, scope, is_called=False)
        if message and not is_expected_to_raise(module, attribute, scope):
            is_complete = attribute.attr in _WITHOUT_ARGUMENTS
            yield Finding(attribute, message, _fix(attribute, scope) if is_complete else None)
    for call, attribute, scope in _called(module):
        message = _message(module, attribute, scope, is_called=True)
        if message and _stands_alone(call, scope) and not is_expected_to_raise(module, call, scope):
            yield Finding(call, message)


def _fix(node: ast.expr, scope: Scope) -> Fix | None:
    """The missing call, as a statement: what it gives back is None, and an `assert` of that would fail."""
    parent = scope.parents[node]
    if isinstance(parent, ast.Expr):
        return safe(insert_after(node, "()"))
    if isinstance(parent, ast.Assert) and parent.msg is None and parent.lineno == node.lineno:
        return safe(Edit(start_of(parent), start_of(node), ""), Edit(end_of(node), end_of(parent), "()"))
    return None


def _looked_at(module: Module) -> Iterator[tuple[ast.Attribute, Scope]]:
    """The attributes that stand as a statement of their own, or are asserted."""
    has_mocks = mocks_of(module).names.are_there
    for holder, scope in module.index.uncalled:
        parts = [holder.test if isinstance(holder, ast.Assert) else holder.value]
        while parts:
            part = parts.pop()
            if isinstance(part, ast.BoolOp):
                parts += part.values
            elif isinstance(part, ast.Attribute) and _may_be_meant(part.attr, has_mocks) and _stands_alone(part, scope):
                yield part, scope
    for call in module.method_calls("assertTrue"):
        argument = call.node.args[0] if call.node.args else None
        if not isinstance(argument, ast.Attribute) or not _may_be_meant(argument.attr, has_mocks):
            continue
        if _stands_alone(argument, call.scope):
            yield argument, call.scope


def _may_be_meant(name: str, has_mocks: bool) -> bool:
    """Whether a name is, or looks like, one of an assertion."""
    if name in AWAIT_ASSERTIONS:
        return True
    return has_mocks and (name in _REAL or name in _WITHOUT_PREFIX or bool(_meant(name)))


def _called(module: Module) -> Iterator[tuple[ast.Call, ast.Attribute, Scope]]:
    """The calls of methods whose names may be such an assertion."""
    calls = module.index.calls
    names = _ON_ANYTHING & calls.keys()
    if mocks_of(module).names.are_there:
        names |= {name for name in calls.keys() - _REAL if name in _WITHOUT_PREFIX or _meant(name)}
    for name in sorted(names):
        for call, scope, _ in calls[name]:
            if isinstance(call.func, ast.Attribute):
                yield call, call.func, scope


def _stands_alone(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression, or the await of it, is a statement of its own, or is asserted."""
    at, parent = _with_await(node, scope)
    if isinstance(parent, ast.Call):
        is_asserted = _is_assert_true(parent) and at in parent.args[:1]
        return is_asserted and isinstance(_with_await(parent, scope)[1], ast.Expr)
    if isinstance(parent, ast.Expr):
        return True
    while isinstance(parent, ast.BoolOp):
        at, parent = parent, scope.parents[parent]
    return isinstance(parent, ast.Assert) and at is parent.test


def _with_await(node: ast.expr, scope: Scope) -> tuple[ast.expr, ast.AST]:
    """An expression, with the `await` on it if there is one, and what that stands in."""
    parent = scope.parents[node]
    return (parent, scope.parents[parent]) if isinstance(parent, ast.Await) else (node, parent)


def _is_assert_true(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "assertTrue"
        and isinstance(function.value, ast.Name)
        and function.value.id == "self"
    )


def _message(module: Module, node: ast.Attribute, scope: Scope, *, is_called: bool) -> str:
    name = node.attr
    if name in _REAL:
        if is_called or not (name in AWAIT_ASSERTIONS or mocks_of(module).at(node.value, scope)):
            return ""
        return f"{name} is not called, so nothing is checked (add the parentheses)"
    if name in _ON_ANYTHING and is_called and not _is_defined_here(module, name):
        return _instead(name, f"assert_{name}")
    if name in _WITHOUT_PREFIX:
        return _instead(name, f"assert_{name}") if _is_let_through(module, node, scope) else ""
    if mocks_of(module).names.may_hold(node.value):
        meant = _meant(name)
        if meant and _is_let_through(module, node, scope):
            return _instead(name, meant)
    return ""


def _instead(name: str, meant: str) -> str:
    if name in _REFUSED:
        return (
            f"{name} is no assertion: up to Python 3.11 it checks nothing, since then a mock raises an AttributeError"
            f" (use {meant})"
        )
    return f"{name} is no assertion but an attribute that a mock makes up: nothing is checked (use {meant})"


def _is_defined_here(module: Module, name: str) -> bool:
    """Whether a class of this file has a method of that name."""
    return any(function.name == name and function.is_method for function in module.functions)


def _is_let_through(module: Module, node: ast.Attribute, scope: Scope) -> bool:
    """Whether a mock makes an attribute of that name up instead of raising an AttributeError."""
    mocks = mocks_of(module).at(node.value, scope)
    return bool(mocks) and all(_lets_through(module, mock, node, scope) for mock in mocks)


def _lets_through(module: Module, mock: Mock, node: ast.Attribute, scope: Scope) -> bool:
    if not mock.is_open or _is_configured(module, mock, node, scope):
        return False
    is_unsafe = mock.origin.is_unsafe and not mock.path
    return is_unsafe or not node.attr.startswith(BEGINNINGS_OF_ASSERTIONS)


def _is_configured(module: Module, mock: Mock, node: ast.Attribute, scope: Scope) -> bool:
    """Whether the attribute was given a value or a behaviour: then it plays a method of what the mock stands for."""
    mocks = mocks_of(module)
    child = mock.child(node.attr)
    asked = [(mock, node.attr), *((child, name) for name in (RETURN_VALUE, SIDE_EFFECT) if child is not None)]
    return any(mocks.setting(owner, name, node, scope) is not Setting.NONE for owner, name in asked)


@lru_cache(maxsize=4096)
def _meant(name: str) -> str:
    """The real assertion that a name misspells, "" when it is none."""
    lowered = name.lower()
    for real, (first, second, third) in _OF_ABOUT_LENGTH.get(len(name), ()):
        # Two edits leave one of three parts as it was.
        is_alike = first in lowered or second in lowered or third in lowered
        if is_alike and _edits(lowered, real) <= _MOST_EDITS:
            return real
    return ""


def _in_thirds(name: str) -> tuple[str, str, str]:
    third = len(name) // 3
    return name[:third], name[third : 2 * third], name[2 * third :]


# By the length of a name, those of which it may be a misspelling.
_OF_ABOUT_LENGTH = {
    length: tuple((real, _in_thirds(real)) for real in sorted(_REAL) if abs(len(real) - length) <= _MOST_EDITS)
    for length in range(max(map(len, _REAL)) + _MOST_EDITS + 1)
}


def _edits(one: str, other: str) -> int:
    """How many letters have to be added, left out, changed or swapped with the next to get from one to the other."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, wanted in enumerate(other, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]
