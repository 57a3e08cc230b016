"""AT902: a test is content that an AsyncMock was called, awaited or not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import rename_attribute, unsafe
from flake8_async_tests.inference.clients.known import fixture_behind
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.places.parts import is_expected_to_raise, nodes_of
from flake8_async_tests.inference.replacing.mock_values import AWAIT_ASSERTIONS
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

INSTEAD = {
    "assert_called": "assert_awaited",
    "assert_called_once": "assert_awaited_once",
    "assert_called_once_with": "assert_awaited_once_with",
    "assert_called_with": "assert_awaited_with",
}
# What a test finds out about awaits with by a look, and not by a call.
RECORDS = frozenset({"await_args", "await_args_list", "await_count"})
# How many calls of one word in a scope are looked at.
_MOST_CALLS = 32
# What these get is awaited later, by somebody else.
STARTERS = (
    "as_completed",
    "create_task",
    "ensure_future",
    "gather",
    "run_coroutine_threadsafe",
    "shield",
    "start_soon",
    "wait",
)


@rule("AT902", "called-not-awaited-assertion", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    for call in module.method_calls(*INSTEAD):
        assert isinstance(call.node.func, ast.Attribute)
        found = _mocks_at(module, call.node.func.value, call.scope)
        if not found or not all(mock.kind.is_async for mock in found):
            continue
        if _is_asserted_awaited(module, found, call.scope) or _may_be_awaited_later(module, found, call):
            continue
        if not is_expected_to_raise(module, call.node, call.scope):
            method = call.node.func.attr
            yield Finding(
                call.node,
                f"{method}() passes though nobody awaited the AsyncMock (use {INSTEAD[method]}())",
                unsafe(rename_attribute(call.node.func, INSTEAD[method])),
            )


def _is_asserted_awaited(module: Module, mocks: tuple[Mock, ...], scope: Scope) -> bool:
    asserted = module.fact(_asserted_awaited)
    return any(
        _may_be(module, receiver, mocks, around)
        for around in mocks_of(module).scopes_around(scope)
        for receiver in asserted.get(around, ())
    )


def _asserted_awaited(module: Module) -> dict[Scope, list[ast.expr]]:
    """What is asserted to have been awaited, by the scope of the assertion."""
    found: dict[Scope, list[ast.expr]] = {}
    for call in module.method_calls(*AWAIT_ASSERTIONS):
        assert isinstance(call.node.func, ast.Attribute)
        found.setdefault(call.scope, []).append(call.node.func.value)
    if any(record in module.text for record in RECORDS):
        for scope in module.index.scopes:
            found.setdefault(scope, []).extend(_looked_at(scope))
    return found


def _looked_at(scope: Scope) -> Iterator[ast.expr]:
    """Whose record of awaits a scope reads: `m` in `assert m.await_count == 1`."""
    body = scope.node.body
    for node in nodes_of(body if isinstance(body, list) else [body]):
        if isinstance(node, ast.Attribute) and node.attr in RECORDS:
            yield node.value


def _may_be_awaited_later(module: Module, mocks: tuple[Mock, ...], assertion: Call) -> bool:
    """Whether the mock, or the coroutine that a call of it gives, is handed to what starts tasks, or is kept."""
    word = word_of(receiver_of(assertion.node))
    for around in mocks_of(module).scopes_around(assertion.scope):
        for node in module.fact(_starting_calls).get(around, ()):
            arguments = (*node.args, *(keyword.value for keyword in node.keywords))
            if any(_may_be(module, part, mocks, around) for argument in arguments for part in ast.walk(argument)):
                return True
        kept = module.fact(_kept_calls).get((around, word), ())
        if any(_may_be(module, call.func, mocks, around) for call in kept[:_MOST_CALLS]):
            return True
    return False


def _kept_calls(module: Module) -> dict[tuple[Scope, str], list[ast.Call]]:
    """The calls in each scope of which the result is given a name, by the last word of what is called."""
    found: dict[tuple[Scope, str], list[ast.Call]] = {}
    for node, scope in module.of_kind(ast.Assign):
        if isinstance(node.value, ast.Call):
            found.setdefault((scope, word_of(node.value.func)), []).append(node.value)
    return found


def _starting_calls(module: Module) -> dict[Scope, list[ast.Call]]:
    """What starts tasks, by the scope of the call."""
    found: dict[Scope, list[ast.Call]] = {}
    for word in STARTERS:
        for node, scope, _ in module.index.calls.get(word, ()):
            found.setdefault(scope, []).append(node)
    return found


def _may_be(module: Module, node: ast.AST, mocks: tuple[Mock, ...], scope: Scope) -> bool:
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return False
    places = {(mock.origin, mock.path) for mock in mocks}
    return any((mock.origin, mock.path) in places for mock in _mocks_at(module, node, scope))


def _mocks_at(module: Module, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
    """Every mock that an expression may be, those included that a fixture of this file gives a parameter."""
    found = mocks_of(module).at(node, scope)
    if found or not isinstance(node, ast.Name):
        return found
    given = [_given_by_fixture(module, binding) for binding in bindings_at(module, node, scope)]
    return tuple(mock for mocks in given for mock in mocks) if all(given) else ()


def _given_by_fixture(module: Module, binding: Binding) -> tuple[Mock, ...]:
    function = module.function_at(binding.scope)
    if binding.kind is not Kind.PARAMETER or function is None or not isinstance(binding.node, ast.arg):
        return ()
    fixture = fixture_behind(function, binding.node.arg)
    if fixture is None or fixture.module is not module:
        return ()
    given = [mocks_of(module).at(value, fixture.function.scope) for value in fixture.function.values_given()]
    return tuple(mock for mocks in given for mock in mocks) if all(given) else ()
