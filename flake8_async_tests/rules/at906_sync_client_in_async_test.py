"""AT906: an async test that talks to the app through a sync client."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import HTTP_METHODS, Kind, kind_of, may_be_replaced
from flake8_async_tests.inference.places.parts import is_fixture_itself, is_test_itself
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_IMPORTED_FROM = ("fastapi.testclient", "starlette.testclient")
_METHODS = (*sorted(HTTP_METHODS), "stream", "websocket_connect")

_THREADS = frozenset(
    {
        "anyio.to_thread.run_sync",
        "asgiref.sync.sync_to_async",
        "asyncio.to_thread",
        "fastapi.concurrency.run_in_threadpool",
        "starlette.concurrency.run_in_threadpool",
        "trio.to_thread.run_sync",
    }
)
_EXECUTOR_METHODS = frozenset({"run_in_executor", "submit"})


@rule("AT906", "sync-client-in-async-test", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    in_view = (module, *module.project.conftests(module.directory).modules)
    if not any(each.imports(*_IMPORTED_FROM) for each in in_view):
        return
    reported: set[Scope] = set()
    for node, client, scope in sorted(_uses(module), key=lambda use: (use[0].lineno, use[0].col_offset)):
        if scope in reported or not _is_async_test_or_fixture(module, scope):
            continue
        if kind_of(module, client, scope) is not Kind.TEST_CLIENT or _works_in_thread(module, client, scope):
            continue
        if may_be_replaced(module, Kind.TEST_CLIENT.value, scope):
            continue
        reported.add(scope)
        yield Finding(
            node,
            "TestClient is sync and runs the app on an event loop of its own: this test's loop stands still meanwhile,"
            " and what belongs to it does not work in the app (use httpx.AsyncClient with an ASGITransport)",
        )


def _uses(module: Module) -> Iterator[tuple[ast.Call | ast.With, ast.expr, Scope]]:
    """Where something that may be a client sends a request or is entered."""
    for call in module.method_calls(*_METHODS):
        assert isinstance(call.node.func, ast.Attribute)
        yield call.node, call.node.func.value, call.scope
    for block, scope in module.of_kind(ast.With):
        for item in block.items:
            yield block, item.context_expr, scope


def _is_async_test_or_fixture(module: Module, scope: Scope) -> bool:
    function = module.function_at(scope)
    if function is None or not function.is_async:
        return False
    return is_test_itself(module, scope) or is_fixture_itself(module, scope)


def _works_in_thread(module: Module, client: ast.expr, scope: Scope) -> bool:
    """Whether the client, or a method of it, is handed to a thread in the same function."""
    names = _names_of(client, scope)
    for node in scope.of(ast.Call):
        assert isinstance(node, ast.Call)
        in_executor = isinstance(node.func, ast.Attribute) and node.func.attr in _EXECUTOR_METHODS
        if in_executor or module.qualified(node.func, scope) in _THREADS:
            handed = (part for argument in node.args for part in ast.walk(argument))
            if any(isinstance(part, (ast.Name, ast.Attribute)) and path_of(part) in names for part in handed):
                return True
    return False


def _names_of(client: ast.expr, scope: Scope) -> set[str]:
    """The path that a client is known by, or those that it is entered as."""
    parent = scope.parents.get(client)
    if isinstance(parent, ast.withitem) and parent.optional_vars is not None:
        return {path_of(client), path_of(parent.optional_vars)} - {""}
    return {path_of(client)} - {""}
