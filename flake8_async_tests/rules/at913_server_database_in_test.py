"""AT913: a test that needs a database server on some other machine."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.hosts import address_in
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

_MAKER = "sqlalchemy.ext.asyncio.create_async_engine"
_MAKE_URL = frozenset({"sqlalchemy.make_url", "sqlalchemy.engine.make_url", "sqlalchemy.engine.url.make_url"})
_WITHOUT_SERVER = frozenset({"sqlite", "duckdb"})


@rule("AT913", "server-database-in-test", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(_MAKER):
        address = address_in(module, _url(call), call.scope)
        if address is None or address.is_local or address.scheme.partition("+")[0] in _WITHOUT_SERVER:
            continue
        yield Finding(
            address.node,
            f"the database URL leads to {address.host}: the tests need that server, and change what is in it"
            " (read the URL from the environment, or use a local database)",
        )


def _url(call: Call) -> ast.expr | None:
    node = call.argument(0, "url")
    value = call.module.value_of(node, call.scope) if node is not None else None
    if isinstance(value, ast.Call) and call.module.qualified(value.func, call.scope) in _MAKE_URL and value.args:
        return value.args[0]
    return node
