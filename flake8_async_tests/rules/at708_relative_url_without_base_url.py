"""AT708: a client that has no base URL is given a mere path."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import add_argument, unsafe
from flake8_async_tests.inference.clients.constructions import ENTERING_METHODS, constructions_of
from flake8_async_tests.inference.clients.known import HTTP_METHODS
from flake8_async_tests.inference.places.parts import is_expected_to_raise, place_of
from flake8_async_tests.inference.places.precautions import is_reckoned_with
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced, method_may_be_replaced
from flake8_async_tests.inference.uses.handover import INERT_CALLS
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.literals import beginning_of
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import has_double_star, keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flake8_async_tests.inference.places.parts import Place
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

CLIENT = "httpx.AsyncClient"
# Of these methods the URL is the second argument.
METHOD_FIRST = frozenset({"request", "stream"})
# What a request of a mere path comes to, by the version of httpx, with what that is a kind of.
ERRORS = (
    "builtins.ValueError",
    "httpx.HTTPError",
    "httpx.RequestError",
    "httpx.TransportError",
    "httpx.UnsupportedProtocol",
)


@rule("AT708", "relative-url-without-base-url", knows=Knows.FILE, fix="unsafe", calls=(CLIENT,))
def check(module: Module) -> Iterator[Finding]:
    # Where none is built so, nothing has to be known of what a request is made on.
    scopes = {client.scope for client in module.calls(CLIENT) if _lacks_base_url(client)}
    for call in module.method_calls(*HTTP_METHODS, "stream") if scopes else ():
        if call.scope not in scopes:
            continue
        url = call.argument(1 if _method(call) in METHOD_FIRST else 0, "url")
        if not beginning_of(module, url, call.scope).startswith("/"):
            continue
        clients = _clients_without_base_url(module, call)
        if clients and not _cannot_fail(call, clients):
            yield Finding(
                call.node,
                f"{_method(call)}() of a path fails: the AsyncClient was built without a base_url"
                ' (build it with base_url="http://test")',
                _fix(module, clients),
            )


def _cannot_fail(call: Call, clients: Sequence[Call]) -> bool:
    """Whether the failure is what is expected, or a fake stands in for the client or for what sends its requests."""
    module, scope, function = call.module, call.scope, call.node.func
    assert isinstance(function, ast.Attribute)
    return (
        is_expected_to_raise(module, call.node, scope)
        or is_reckoned_with(module, call.node, scope, *ERRORS)
        or any(map(function_may_be_replaced, clients))
        or any(
            method_may_be_replaced(module, ast.Attribute(function.value, method, function.ctx), scope, of_library=True)
            for method in (function.attr, "request", "send")
        )
    )


def _fix(module: Module, clients: Sequence[Call]) -> Fix | None:
    """A base for every client that it may be."""
    return unsafe(*(add_argument(module, client.node, 'base_url="http://test"') for client in clients))


def _method(call: Call) -> str:
    assert isinstance(call.node.func, ast.Attribute)
    return call.node.func.attr


def _clients_without_base_url(module: Module, call: Call) -> tuple[Call, ...]:
    """What a request may be made on, when all of it is built in the same function and none is given a base there."""
    receiver = receiver_of(call.node)
    assert receiver is not None
    clients = constructions_of(module, receiver, call.scope)
    if not all(_lacks_base_url(client) and client.scope is call.scope for client in clients):
        return ()
    return () if _may_be_given_one_later(module, receiver, call) else clients


def _lacks_base_url(client: Call) -> bool:
    if client.name != CLIENT or has_double_star(client.node):
        return False
    return keyword_value(client.node, "base_url") is None


def _may_be_given_one_later(module: Module, receiver: ast.expr, request: Call) -> bool:
    """Whether the function sets `base_url`, or hands the client to something that may, before the request."""
    path, scope = path_of(receiver), request.scope
    if (scope, path) in module.fact(_given_base_urls):
        return True
    first = _handed_over(module, scope).get(path)
    return first is not None and first < place_of(request.node)


def _handed_over(module: Module, scope: Scope) -> dict[str, Place]:
    """The names that a scope hands to calls, with the places of the first ones."""
    known = module.fact(_handed_over_in)
    if scope not in known:
        loads = sorted(scope.loads, key=place_of, reverse=True)
        known[scope] = {load.id: place_of(load) for load in loads if _is_handed_over(module, load, scope)}
    return known[scope]


def _handed_over_in(_: Module) -> dict[Scope, dict[str, Place]]:
    return {}


def _is_handed_over(module: Module, load: ast.Name, scope: Scope) -> bool:
    call = scope.parents[load]
    if isinstance(call, ast.keyword):
        call = scope.parents[call]
    if not isinstance(call, ast.Call) or load is call.func or module.qualified(call.func, scope) in INERT_CALLS:
        return False
    return not (isinstance(call.func, ast.Attribute) and call.func.attr in ENTERING_METHODS)


def _given_base_urls(module: Module) -> set[tuple[Scope, str]]:
    """Of what a scope sets the `base_url`, by the paths."""
    return {
        (scope, path_of(target.value))
        for node, scope in module.of_kind(ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == "base_url"
    }
