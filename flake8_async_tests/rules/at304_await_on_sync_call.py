"""AT304: the await of a call that gives nothing to await."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_await, safe
from flake8_async_tests.inference.clients.known import HTTP_METHODS, Kind, kind_of
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.places.exceptions import is_expected_around
from flake8_async_tests.inference.replacing.mock_values import AWAIT_ASSERTIONS, CALL_ASSERTIONS
from flake8_async_tests.inference.replacing.replaced import method_may_be_replaced
from flake8_async_tests.inference.values.flow import is_assigned_at
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_SYNC_METHODS = {
    Kind.HTTPX_RESPONSE: frozenset({"json", "raise_for_status"}),
    Kind.TEST_CLIENT: HTTP_METHODS,
}
_WHAT = {
    Kind.HTTPX_RESPONSE: "responses of httpx are read synchronously",
    Kind.TEST_CLIENT: "TestClient is synchronous",
}
_ASSERTIONS = AWAIT_ASSERTIONS | CALL_ASSERTIONS


# Of whatever is asked for, most files have nothing.
_IN_QUESTION = _ASSERTIONS.union(*_SYNC_METHODS.values())


@rule("AT304", "await-on-sync-call", knows=Knows.FILE, fix="safe", calls=_IN_QUESTION)
def check(module: Module) -> Iterator[Finding]:
    calls = module.index.calls
    for name in _IN_QUESTION & calls.keys():
        for call, scope, holder in calls[name]:
            if isinstance(holder, ast.Await) and isinstance(call.func, ast.Attribute):
                because = _sync_because(module, call.func, scope)
                # The TypeError may be what the test is about.
                if because and not is_expected_around(module, holder, scope, "builtins.TypeError"):
                    yield Finding(
                        holder,
                        f"await of {name}() is a TypeError: {because} (drop the await)",
                        safe(remove_await(module, holder)),
                    )


def _sync_because(module: Module, method: ast.Attribute, scope: Scope) -> str:
    """Why the call of a method certainly gives nothing to await, "" when it may."""
    if method.attr in _ASSERTIONS:
        return "assertions of mocks are no coroutines" if mocks_of(module).at(method.value, scope) else ""
    if method.attr not in module.fact(_methods_in_question):
        return ""
    kind = kind_of(module, method.value, scope)
    if kind not in _SYNC_METHODS or method.attr not in _SYNC_METHODS[kind]:
        return ""
    if is_assigned_at(module, method, scope) or method_may_be_replaced(module, method, scope, of_library=True):
        return ""
    return _WHAT[kind]


def _methods_in_question(module: Module) -> frozenset[str]:
    """The sync methods of what there may be in view, told by a word: most files have no sync client at all."""
    texts = [module.text, *(conftest.text for conftest in module.project.conftests(module.directory).modules)]
    has_test_client = any("TestClient" in text for text in texts)
    has_client = has_test_client or any("httpx" in text or "AsyncClient" in text for text in texts)
    found = _SYNC_METHODS[Kind.HTTPX_RESPONSE] if has_client else frozenset()
    return found | HTTP_METHODS if has_test_client else found
