"""AT402: what the call of an AsyncMock gives is entered or iterated, though it is a coroutine."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaiting.definitions import is_coroutine_method
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.mocks.targets import target_of
from flake8_async_tests.inference.places.exceptions import is_expected_around
from flake8_async_tests.inference.replacing.mock_values import AWAIT_ASSERTIONS, RETURN_VALUE, Mock
from flake8_async_tests.inference.values.flow import Kind, bindings_at
from flake8_async_tests.mock_edits import sync_descendant, sync_instead
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.mocks.settings import MockSetting
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# The latter up to Python 3.10.
_RAISED = ("builtins.TypeError", "builtins.AttributeError")
_ASSERTED_AWAITED = AWAIT_ASSERTIONS - {"assert_not_awaited"}
# What these get is awaited.
_AWAITING = (
    "asyncio.create_task",
    "asyncio.ensure_future",
    "asyncio.gather",
    "asyncio.run",
    "asyncio.shield",
    "asyncio.wait_for",
)
_AWAITED_BY_PYTHON = (("__aenter__",), ("__aexit__",), ("__anext__",))


@rule("AT402", "async-mock-as-context-manager", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not mocks_of(module).names.may_be_async:
        return
    for node, scope in module.of_kind(ast.AsyncWith):
        for item in node.items:
            called = _async_mocks_called(module, item.context_expr, scope)
            if called and not is_expected_around(module, node, scope, *_RAISED):
                yield Finding(
                    item.context_expr,
                    "async with gets a coroutine, for the call of an AsyncMock gives one: a TypeError"
                    " (make the method a MagicMock)",
                    _fix(module, called),
                )
    for iterable, scope in _iterables(module):
        called = _async_mocks_called(module, iterable, scope)
        if called and not is_expected_around(module, iterable, scope, *_RAISED):
            yield Finding(
                iterable,
                "async for gets a coroutine, for the call of an AsyncMock gives one: a TypeError"
                " (make the method a MagicMock)",
                _fix(module, called),
            )
    if "__aenter__" not in module.text:
        return
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


def _iterables(module: Module) -> Iterator[tuple[ast.expr, Scope]]:
    """What `async for` goes through, as a statement or in a comprehension."""
    for loop, scope in module.of_kind(ast.AsyncFor):
        yield loop.iter, scope
    if "async for" in module.text:
        for scope in module.index.scopes:
            for part in scope.of(ast.comprehension):
                assert isinstance(part, ast.comprehension)
                if part.is_async:
                    yield part.iter, scope


def _fix(module: Module, mocks: tuple[Mock, ...]) -> Fix | None:
    """A MagicMock in the place of the mock that is called: given to the mock of which it is a method, or made."""
    if len(mocks) != 1:
        return None
    return sync_descendant(module, mocks[0]) if mocks[0].path else sync_instead(module, mocks[0])


def _configured_to_be_entered(module: Module, setting: MockSetting) -> tuple[Mock, ...]:
    """The AsyncMocks of whose result the path sets something of `__aenter__`."""
    for position, name in enumerate(setting.path):
        if name == "__aenter__":
            called = _called_for(module, setting, position)
            if _all_async(called) and module.fact(_meant_to_be_awaited).isdisjoint(called):
                return called
    return ()


def _called_for(module: Module, setting: MockSetting, position: int) -> tuple[Mock, ...]:
    """The mocks whose call gives what stands before a place in a path, be it under another name."""
    settings = module.fact(MockSettings)
    if setting.path[:position][-1:] == (RETURN_VALUE,):
        return settings.mocks(setting, position - 1)
    given = [mock for mock in settings.mocks(setting, position) if mock.path[-1:] == (RETURN_VALUE,)]
    return tuple(Mock(mock.origin, mock.path[:-1]) for mock in given)


def _async_mocks_called(module: Module, node: ast.expr, scope: Scope) -> tuple[Mock, ...]:
    """The AsyncMocks of which an expression is the call, be it under a name that got what the call gave."""
    if isinstance(node, ast.Name):
        given = _given_to_name(module, node, scope)
        if given is None:
            return ()
        node, scope = given
    mocks = mocks_of(module).at(node.func, scope) if isinstance(node, ast.Call) else ()
    return mocks if _all_async(mocks) else ()


def _given_to_name(module: Module, name: ast.Name, scope: Scope) -> tuple[ast.expr, Scope] | None:
    """What was assigned to a name that may hold what a mock gave."""
    bindings = bindings_at(module, name, scope) if mocks_of(module).names.may_hold(name) else ()
    if len(bindings) != 1 or bindings[0].kind is not Kind.ASSIGNED or bindings[0].value is None:
        return None
    return bindings[0].value, bindings[0].scope


def _all_async(mocks: tuple[Mock, ...]) -> bool:
    """Whether they are AsyncMocks, and none a method of a protocol: Python itself awaits those."""
    return bool(mocks) and all(
        mock.kind.is_async and mock.is_open and mock.path[-1:] not in _AWAITED_BY_PYTHON for mock in mocks
    )


def _meant_to_be_awaited(module: Module) -> set[Mock]:
    """Those whose call is awaited first: in view, by what is asserted of them, or by what they replace."""
    mocks = mocks_of(module)
    found: set[Mock] = set()
    for node, scope in _awaited(module):
        coroutine = _given_to_name(module, node, scope) if isinstance(node, ast.Name) else (node, scope)
        if coroutine is not None and isinstance(coroutine[0], ast.Call):
            found.update(mocks.at(coroutine[0].func, coroutine[1]))
    for call in module.method_calls(*_ASSERTED_AWAITED):
        assert isinstance(call.node.func, ast.Attribute)
        found.update(mocks.at(call.node.func.value, call.scope))
    for patch in mocks.patches:
        if target_of(module, patch).is_coroutine_function:
            found.update(mocks.put_there_by(patch))
    for setting in module.fact(MockSettings).all():
        put = mocks.at(setting.value, setting.scope) if setting.attributes else ()
        if put and any(mock.kind.is_async for mock in put):
            replaced = setting.attributes[-1]
            if is_coroutine_method(module, replaced.value, replaced.attr, setting.scope):
                found.update(put)
    return found


def _awaited(module: Module) -> Iterator[tuple[ast.expr, Scope]]:
    """What is awaited, be it by what it is handed to."""
    for node, scope in module.of_kind(ast.Await):
        yield node.value, scope
    for call in (*module.calls(*_AWAITING), *module.method_calls("create_task")):
        yield from ((argument, call.scope) for argument in call.node.args)
