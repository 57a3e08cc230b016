"""AT702: an httpx client is asked for a websocket, which it does not speak."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaiting.consumption import is_expected_error
from flake8_async_tests.inference.clients.known import Kind, kind_of
from flake8_async_tests.inference.places.precautions import is_reckoned_with
from flake8_async_tests.inference.replacing.replaced import method_may_be_replaced
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module


@rule("AT702", "websocket-on-httpx-client", knows=Knows.FILE, calls=("websocket_connect",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.method_calls("websocket_connect"):
        method = call.node.func
        assert isinstance(method, ast.Attribute)
        if kind_of(module, method.value, call.scope) is Kind.HTTPX_ASYNC_CLIENT and not _works(module, call, method):
            yield Finding(
                call.node,
                "websocket_connect() is an AttributeError: httpx.AsyncClient has no such method"
                " (use Starlette's TestClient, or the package httpx-ws)",
            )


def _works(module: Module, call: Call, method: ast.Attribute) -> bool:
    """Whether the error is what is expected, or asked about before, or something gives the client such a method."""
    error = "builtins.AttributeError"
    return (
        is_expected_error(module, method, call.scope, error)
        or is_reckoned_with(module, method, call.scope, error)
        or method_may_be_replaced(module, method, call.scope, of_library=True)
    )
