"""AT708: a client that has no base URL is given a mere path."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import add_argument, unsafe
from flake8_async_tests.inference.bindings import path_of
from flake8_async_tests.inference.clients import HTTP_METHODS
from flake8_async_tests.inference.flow import Kind as How
from flake8_async_tests.inference.flow import bindings_at
from flake8_async_tests.inference.literals import beginning_of
from flake8_async_tests.inference.places import is_expected_to_raise
from flake8_async_tests.inference.replaced import method_may_be_replaced, path_may_be_replaced
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import has_double_star, keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

CLIENT = "httpx.AsyncClient"
# Of these methods the URL is the second argument.
METHOD_FIRST = frozenset({"request", "stream"})


@rule("AT708", "relative-url-without-base-url", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not module.imports("httpx", "httpx2"):
        return
    for call in module.method_calls(*HTTP_METHODS, "stream"):
        url = call.argument(1 if _method(call) in METHOD_FIRST else 0, "url")
        if not beginning_of(module, url, call.scope).startswith("/"):
            continue
        if _is_built_here_without_base_url(module, call) and not _cannot_fail(call):
            yield Finding(
                call.node,
                f"{_method(call)}() of a path fails: the AsyncClient was built without a base_url"
                ' (build it with base_url="http://test")',
                _fix(module, call),
            )


def _cannot_fail(call: Call) -> bool:
    """Whether the failure is what is expected, or a fake stands in for the client or for what sends its requests."""
    module, scope, function = call.module, call.scope, call.node.func
    assert isinstance(function, ast.Attribute)
    return (
        is_expected_to_raise(module, call.node, scope)
        or path_may_be_replaced(module, CLIENT, scope)
        or any(
            method_may_be_replaced(module, ast.Attribute(function.value, method, function.ctx), scope, of_library=True)
            for method in (function.attr, "request", "send")
        )
    )


def _fix(module: Module, call: Call) -> Fix | None:
    """A base for every client that it may be."""
    receiver = receiver_of(call.node)
    assert receiver is not None
    bindings = bindings_at(module, receiver, call.scope)
    clients = [receiver] if isinstance(receiver, ast.Call) else [binding.value for binding in bindings]
    return unsafe(
        *(
            add_argument(module, client, 'base_url="http://test"')
            for client in dict.fromkeys(clients)
            if isinstance(client, ast.Call)
        )
    )


def _method(call: Call) -> str:
    assert isinstance(call.node.func, ast.Attribute)
    return call.node.func.attr


def _is_built_here_without_base_url(module: Module, call: Call) -> bool:
    receiver = receiver_of(call.node)
    if isinstance(receiver, ast.Call):
        return _lacks_base_url(module, receiver, call.scope)
    assert receiver is not None
    bindings = bindings_at(module, receiver, call.scope)
    if not bindings or (call.scope, path_of(receiver)) in module.fact(_given_base_urls):
        return False
    return all(
        binding.scope is call.scope
        and binding.kind in (How.ASSIGNED, How.ENTERED_ASYNC)
        and _lacks_base_url(module, binding.value, binding.scope)
        for binding in bindings
    )


def _lacks_base_url(module: Module, node: ast.expr | None, scope: Scope) -> bool:
    if not isinstance(node, ast.Call) or module.qualified(node.func, scope) != CLIENT:
        return False
    return keyword_value(node, "base_url") is None and not has_double_star(node)


def _given_base_urls(module: Module) -> set[tuple[Scope, str]]:
    """Of what a scope sets the `base_url`, by the paths."""
    return {
        (scope, path_of(target.value))
        for node, scope in module.of_kind(ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == "base_url"
    }
