"""Whether something in view may answer a request in place of the network."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import outermost_function
from flake8_async_tests.inference.places.reaching import is_only_spoken_of_in_functions, may_run_together, words_of
from flake8_async_tests.inference.replacing.replaced import Replacements, may_change_library
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from collections.abc import Set

    from flake8_async_tests.inference.replacing.replaced import Replacement
    from flake8_async_tests.project.fixture_graph import Closure
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope

_LIBRARIES = (
    "aioresponses",
    "httpretty",
    "mocket",
    "pook",
    "pytest_httpx",
    "pytest_recording",
    "pytest_socket",
    "requests_mock",
    "responses",
    "respx",
    "vcr",
)
_FIXTURES = frozenset(
    {
        "aioresponses",
        "block_network",
        "httpx_mock",
        "mock_aioresponse",
        "pook",
        "respx_mock",
        "socket_disabled",
        "vcr",
        "vcr_cassette",
    }
)
_MARKS = ("block_network", "disable_socket", "pook", "respx", "vcr")

# By these names one gets at a client, or at what it sends its requests with.
_HANDLES = frozenset(
    {
        "AsyncClient",
        "AsyncHTTPTransport",
        "Client",
        "ClientSession",
        "HTTPTransport",
        "_request",
        "_resolve_host",
        "aiohttp",
        "create_connection",
        "getaddrinfo",
        "handle_async_request",
        "handle_request",
        "httpx",
        "open_connection",
        "request",
        "resolve",
        "send",
        "socket",
    }
)


def may_be_intercepted(call: Call) -> bool:
    """Whether a mocking library, a fixture, a mark or a patch in sight may take a request."""
    return requests_may_be_intercepted(call.module, call.scope, {word_of(call.node.func)})


def requests_may_be_intercepted(module: Module, scope: Scope, methods: Set[str]) -> bool:
    """Whether the same may take the requests of a scope that are made by these methods."""
    conftests = module.project.conftests(module.directory)
    if not conftests.complete or any(each.imports(*_LIBRARIES) for each in conftests.modules):
        return True
    if module.imports(*_LIBRARIES) and _may_use_library(module, scope):
        return True
    function = outermost_function(module, scope)
    test = module.test_of(function)
    if test is not None and test.marks.has(*_MARKS):
        return True
    closure = closure_around(module, function, test)
    return not _FIXTURES.isdisjoint(closure.names) or _is_patched(module, scope, methods, closure.fixtures)


def _may_use_library(module: Module, scope: Scope) -> bool:
    """Whether a mocking library that a file imports may be at work in a scope: not where only other tests use it."""
    users = module.fact(_users_of_libraries)
    return users is None or any(may_run_together(each, scope) for each in users)


def _users_of_libraries(module: Module) -> list[Function] | None:
    """The functions that speak of the mocking libraries that a file imports; None where others may use them, too."""
    names = _names_of_libraries(module)
    if names is None or not all(is_only_spoken_of_in_functions(module, name) for name in names):
        return None
    return [each for each in module.functions if not each.is_nested and not names.isdisjoint(words_of(each))]


def _names_of_libraries(module: Module) -> frozenset[str] | None:
    """The names under which the module itself imports mocking libraries; None where that is not all of it."""
    found: set[str] = set()
    imports: list[tuple[ast.Import | ast.ImportFrom, Scope]] = [*module.of_kind(ast.Import)]
    for node, scope in [*imports, *module.of_kind(ast.ImportFrom)]:
        source = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            if f"{source}{alias.name}".partition(".")[0] in _LIBRARIES:
                if scope is not module.scope or alias.name == "*":
                    return None
                found.add(alias.asname or alias.name.partition(".")[0])
    return frozenset(found) or None


def _is_patched(module: Module, scope: Scope, methods: Set[str], fixtures: tuple[Fixture, ...]) -> bool:
    """Whether a patch gets at the client, in sight of the request or in a fixture that is set up for it."""
    names = (_HANDLES | methods) - {""}
    places = [(module, scope), *((each.module, each.function.scope) for each in fixtures)]
    return any(
        _fixture_around(at, patch) in (None, *fixtures) and may_change_library(at, patch)
        for at, where in places
        for name in names
        for patch in at.fact(Replacements).reaching(name, where)
    )


def _fixture_around(module: Module, patch: Replacement) -> Fixture | None:
    function = outermost_function(module, patch.within)
    return module.fixture_of(function) if function is not None else None


def closure_around(module: Module, function: Function | None, test: Test | None) -> Closure:
    """The fixtures that are set up when a function runs, as far as it is a test or a fixture."""
    if test is not None:
        return module.fixture_graph.closure_of(test)
    fixture = module.fixture_of(function) if function is not None else None
    if fixture is not None:
        return module.fixture_graph.closure_of_fixture(fixture)
    return module.fixture_graph.closure(None, ())
