"""AT403: a method that is sync in the real thing is left to an AsyncMock, and gives a coroutine."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.of_httpx import HttpxResponses
from flake8_async_tests.inference.mocks.of_results import ResultMocks
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.mocks.uses import MockUses, Use
from flake8_async_tests.inference.replacing.mock_values import Mock
from flake8_async_tests.mock_edits import sync_descendant, sync_instead
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flake8_async_tests.inference.mocks.uses import MockUse, UsesByName
    from flake8_async_tests.inference.replacing.mock_values import Origin, Path
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_OF_RESPONSES = ("json", "raise_for_status", "text")
_OF_RESULTS = ("mappings", "scalar", "scalar_one", "scalar_one_or_none", "scalars", "unique")
_OF_RESULTS_BY_COMMON_NAMES = ("all", "fetchall", "first", "one", "one_or_none")
_OF_SESSIONS = ("add", "add_all", "expunge")

# What these give nobody looks at.
_CALLED_FOR_EFFECT = frozenset({"raise_for_status", *_OF_SESSIONS})
# The rest of a streamed result's methods are coroutine functions.
_SYNC_OF_STREAMED = ("mappings", "scalars", "unique")

_SESSION = "a session"
_STREAMED = "a streamed result"

_METHODS = (*_OF_RESPONSES, *_OF_RESULTS, *_OF_RESULTS_BY_COMMON_NAMES, *_OF_SESSIONS)

# What else is done with a result: with anything besides, `all` and `first` may be another thing's.
_RESULT = frozenset(
    {
        *_OF_RESULTS,
        *_OF_RESULTS_BY_COMMON_NAMES,
        "close",
        "columns",
        "fetchmany",
        "fetchone",
        "inserted_primary_key",
        "keys",
        "lastrowid",
        "partitions",
        "rowcount",
        "tuples",
    }
)
# These two are coroutine functions of a session.
_COROUTINES_OF_SESSIONS = frozenset({"scalar", "scalars"})
_ONLY_OF_RESULTS = frozenset((*_OF_RESULTS, *_OF_RESULTS_BY_COMMON_NAMES)) - _COROUTINES_OF_SESSIONS
_SIGNS_OF_SESSION = frozenset({"add", "commit", "execute", "flush"})
_SIGNS_OF_SESSION_FOR_ADD = frozenset({"commit", "execute", "flush"})


@rule("AT403", "async-mock-for-sync-api", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    for scopes in _scopes_with_candidates(module):
        for use, what in _not_within_others(_wrong_uses(module, scopes)):
            yield Finding(
                use.node,
                f"{use.name} of {what} is no coroutine function, but an AsyncMock makes it one: {_harm(use)}"
                " (use a MagicMock)",
                _fix(module, use, what),
            )


def _harm(use: MockUse) -> str:
    if use.name in _CALLED_FOR_EFFECT:
        return "its call does nothing, and never raises"
    return "the caller gets a coroutine, which is truthy"


def _fix(module: Module, use: MockUse, what: str) -> Fix | None:
    """A MagicMock for what has sync methods alone, or else for the method."""
    if what == _STREAMED:
        # What its sync methods give has async ones in turn.
        return None
    if use.use is Use.GIVEN:
        given = mocks_of(module).at(use.value, use.scope) if use.value is not None else ()
        return sync_instead(module, given[0]) if len(given) == 1 else None
    whole = None
    if what != _SESSION:
        whole = sync_descendant(module, use.mock) if use.mock.path else sync_instead(module, use.mock)
    return whole or sync_descendant(module, Mock(use.mock.origin, (*use.mock.path, use.name)))


def _scopes_with_candidates(module: Module) -> Iterable[list[Scope]]:
    """The scopes of each outermost function in which one of the methods occurs on an AsyncMock."""
    mocks = mocks_of(module)
    if not mocks.names.may_be_async:
        return ()
    found: dict[Scope, list[Scope]] = {}
    for owners, scope in _candidates(module):
        around = mocks.scopes_around(scope)
        if around[0] not in found and any(mock.kind.is_async and mock.is_open for mock in owners()):
            found[around[0]] = around
    return found.values()


def _candidates(module: Module) -> Iterator[tuple[Callable[[], tuple[Mock, ...]], Scope]]:
    """Where one of the methods occurs, and a way to what it is a method of."""
    mocks, settings = mocks_of(module), module.fact(MockSettings)
    for setting in settings.naming(*_METHODS):
        for position, name in enumerate(setting.path):
            if name in _METHODS:
                yield partial(settings.mocks, setting, position), setting.scope
    for method in _METHODS:
        for call, scope, _ in module.index.calls.get(method, ()):
            if isinstance(call.func, ast.Attribute):
                yield partial(mocks.at, call.func.value, scope), scope


def _wrong_uses(module: Module, scopes: list[Scope]) -> Iterator[tuple[MockUse, str]]:
    """The first use of each sync method of a mock, and what the mock stands for."""
    uses = MockUses(module, scopes)
    for mock in uses.by_mock:
        if not mock.kind.is_async or not mock.is_open:
            continue
        names = _with_those_at_home(module, mock, uses, scopes)
        for method, what in _sync_methods(module, mock, names):
            found = names.get(method, [])
            if any(
                use.use is Use.AWAITED or (use.use is Use.GIVEN and not _is_async_mock(module, use)) for use in found
            ):
                continue
            first = next((use for use in found if use.use in (Use.CALLED, Use.CONFIGURED, Use.GIVEN)), None)
            if first is not None and first.scope in scopes:
                yield first, what


def _with_those_at_home(module: Module, mock: Mock, uses: MockUses, scopes: list[Scope]) -> UsesByName:
    """What is done with a mock here, and before that in the function that made it, such as `setUp`."""
    found = uses.names_on(mock)
    home = mocks_of(module).scopes_around(mock.origin.scope)
    if home[0] is scopes[0]:
        return found
    before = MockUses(module, home).names_on(mock)
    return {name: [*before.get(name, ()), *found.get(name, ())] for name in {**before, **found}}


def _not_within_others(found: Iterable[tuple[MockUse, str]]) -> list[tuple[MockUse, str]]:
    """Without what is configured for the result of a method that is reported itself."""
    reported: set[tuple[Origin, Path]] = set()
    left = []
    for use, what in sorted(found, key=lambda pair: len(pair[0].mock.path)):
        path = use.mock.path
        if not any((use.mock.origin, path[:length]) in reported for length in range(1, len(path) + 1)):
            left.append((use, what))
        reported.add((use.mock.origin, (*path, use.name)))
    return left


def _sync_methods(module: Module, mock: Mock, names: UsesByName) -> Iterator[tuple[str, str]]:
    if module.fact(ResultMocks).is_streamed(mock):
        for method in _SYNC_OF_STREAMED:
            yield method, _STREAMED
        return
    if _is_response(module, mock, names):
        yield "json", "a response"
        yield "raise_for_status", "a response"
        if any(use.use is Use.CALLED for use in names.get("text", ())):
            yield "text", "a response"
    for method in _OF_RESULTS:
        if method not in _COROUTINES_OF_SESSIONS or not _may_be_session(module, mock, names):
            yield method, "a result"
    if _is_result(module, mock, names):
        for method in _OF_RESULTS_BY_COMMON_NAMES:
            yield method, "a result"
    if not _SIGNS_OF_SESSION_FOR_ADD.isdisjoint(names):
        for method in _OF_SESSIONS:
            yield method, _SESSION


def _may_be_session(module: Module, mock: Mock, names: UsesByName) -> bool:
    """Whether `scalar` and `scalars` may be a session's: nothing tells that they are a result's."""
    if not _SIGNS_OF_SESSION.isdisjoint(names):
        return True
    if module.fact(ResultMocks).includes(mock) or not _ONLY_OF_RESULTS.isdisjoint(names):
        return False
    return not any(use.use is Use.CALLED for method in _COROUTINES_OF_SESSIONS for use in names.get(method, ()))


def _is_response(module: Module, mock: Mock, names: UsesByName) -> bool:
    if "status" in names:
        # aiohttp's, whose methods are coroutine functions.
        return False
    return "status_code" in names or module.fact(HttpxResponses).includes(mock)


def _is_result(module: Module, mock: Mock, names: UsesByName) -> bool:
    if not _RESULT.issuperset(names):
        return False
    return module.imports("sqlalchemy") or any(method in names or method in mock.path for method in _OF_RESULTS)


def _is_async_mock(module: Module, use: MockUse) -> bool:
    given = mocks_of(module).at(use.value, use.scope) if use.value is not None else ()
    return bool(given) and all(mock.kind.is_async for mock in given)
