"""AT912: a test that talks to a server somewhere in the network."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.constructions import constructions_of
from flake8_async_tests.inference.clients.hosts import Address, address_in
from flake8_async_tests.inference.clients.known import HTTP_METHODS, Kind, kind_of
from flake8_async_tests.inference.places.parts import belongs_to_tests, is_expected_to_raise
from flake8_async_tests.inference.replacing.interception import may_be_intercepted
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.literals import beginning_of
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import has_double_star, keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LIBRARIES = ("aiohttp", "httpx", "httpx2")
_KINDS = frozenset({Kind.HTTPX_ASYNC_CLIENT, Kind.HTTPX_CLIENT, Kind.AIOHTTP_SESSION})
_CLASSES = frozenset(kind.value for kind in _KINDS)
_METHODS = (*sorted(HTTP_METHODS), "stream", "ws_connect")
_FUNCTIONS = (*(f"httpx.{name}" for name in (*sorted(HTTP_METHODS), "stream")), "aiohttp.request")
# Of these the URL is the second argument.
_METHOD_FIRST = frozenset({"request", "stream"})

_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_URLS = frozenset({"httpx.URL", "yarl.URL"})
# What is set on a client later sends its requests elsewhere.
_WAYS_SET_LATER = frozenset({"_connector", "_mounts", "_transport", "base_url"})
# What a client is built with decides where its requests go; these go where they say.
_OWN_WAYS = frozenset(
    {"app", "connector", "event_hooks", "middlewares", "mounts", "proxies", "proxy", "resolver", "transport"}
)
_REAL_WAYS = frozenset({"aiohttp.TCPConnector", "httpx.AsyncHTTPTransport", "httpx.HTTPTransport"})


@rule("AT912", "network-in-test", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    if not module.imports(*_LIBRARIES):
        return
    for call in (*module.calls(*_FUNCTIONS), *module.method_calls(*_METHODS)):
        address = _address(module, call)
        if address is None or address.is_local or address.scheme not in _SCHEMES:
            continue
        if not belongs_to_tests(module, call.scope) or is_expected_to_raise(module, call.node, call.scope):
            continue
        if not may_be_intercepted(call):
            yield Finding(
                call.node,
                f"the request goes to {address.host}: the test fails whenever that server or the network does"
                " (serve the answer from a mock transport or respx)",
            )


def _address(module: Module, call: Call) -> Address | None:
    """Where a request certainly goes, so far as no other library steps in."""
    if keyword_value(call.node, "proxy") is not None:
        return None
    method = call.node.func.attr if isinstance(call.node.func, ast.Attribute) else call.name.rpartition(".")[2]
    url = _unwrapped(module, call.argument(1 if method in _METHOD_FIRST else 0, "url"), call.scope)
    if call.name in _FUNCTIONS:
        return address_in(module, url, call.scope)
    receiver = receiver_of(call.node)
    address = address_in(module, url, call.scope)
    if receiver is None or (address is None and not _is_relative(module, url, call.scope)):
        return None
    if kind_of(module, receiver, call.scope) not in _KINDS:
        return None
    built = constructions_of(module, receiver, call.scope)
    if not built or not all(_is_plain(each) for each in built):
        return None
    if (call.scope, path_of(receiver)) in module.fact(_led_elsewhere):
        return None
    if address is not None:
        return address
    bases = [_base_of(each) for each in built]
    return bases[0] if all(base is not None and not base.is_local for base in bases) else None


def _is_relative(module: Module, url: ast.expr | None, scope: Scope) -> bool:
    beginning = beginning_of(module, url, scope)
    return bool(beginning) and "://" not in beginning


def _is_plain(built: Call) -> bool:
    """Whether a client sends its requests over the network."""
    if built.name not in _CLASSES or has_double_star(built.node):
        return False
    for keyword in built.node.keywords:
        if keyword.arg in _OWN_WAYS:
            value = built.module.value_of(keyword.value, built.scope)
            if not _is_nothing_special(built.module, value, built.scope):
                return False
    return True


def _led_elsewhere(module: Module) -> set[tuple[Scope, str]]:
    """The clients to which a scope gives another base or transport than they were built with, by their paths."""
    return {
        (scope, path_of(target.value))
        for node, scope in module.of_kind(ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr in _WAYS_SET_LATER
    }


def _is_nothing_special(module: Module, node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Constant) and node.value is None:
        return True
    if not isinstance(node, ast.Call) or module.qualified(node.func, scope) not in _REAL_WAYS:
        return False
    return all(keyword.arg is not None and keyword.arg not in _OWN_WAYS for keyword in node.keywords)


def _base_of(built: Call) -> Address | None:
    given = keyword_value(built.node, "base_url")
    if given is None and built.name == Kind.AIOHTTP_SESSION.value:
        given = built.argument(0, "base_url")
    return address_in(built.module, _unwrapped(built.module, given, built.scope), built.scope)


def _unwrapped(module: Module, node: ast.expr | None, scope: Scope) -> ast.expr | None:
    """The text that a URL object is made of."""
    value = module.value_of(node, scope) if node is not None else None
    if isinstance(value, ast.Call) and module.qualified(value.func, scope) in _URLS and len(value.args) == 1:
        return value.args[0]
    return node
