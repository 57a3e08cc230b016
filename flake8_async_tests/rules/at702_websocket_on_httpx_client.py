"""AT702: an httpx client is asked for a websocket, which it does not speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients import Kind, kind_of
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


@rule("AT702", "websocket-on-httpx-client", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in module.method_calls("websocket_connect"):
        receiver = receiver_of(call.node)
        if receiver is not None and kind_of(module, receiver, call.scope) is Kind.HTTPX_ASYNC_CLIENT:
            yield Finding(
                call.node,
                "websocket_connect() is an AttributeError: httpx.AsyncClient has no such method"
                " (use Starlette's TestClient, or the package httpx-ws)",
            )
