"""What a database URL says."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.literals import text_of

if TYPE_CHECKING:
    from flake8_async_tests.source.calls import Call

_MAKE_URL = frozenset({"sqlalchemy.make_url", "sqlalchemy.engine.make_url", "sqlalchemy.engine.url.make_url"})


def url_given(call: Call) -> str | None:
    """The URL that a call which makes an engine gets, when it is written down in view."""
    node = call.argument(0, "url")
    if node is None:
        return None
    value = call.module.value_of(node, call.scope)
    if isinstance(value, ast.Call) and call.module.qualified(value.func, call.scope) in _MAKE_URL and value.args:
        node = value.args[0]
    return text_of(call.module, node, call.scope)


def is_server(url: str) -> bool:
    """Whether it leads to a database behind a connection of the network, and not to a file or to memory."""
    return _scheme(url).partition("+")[0] not in ("", "duckdb", "sqlite")


def is_private_memory(url: str) -> bool:
    """Whether each connection to an SQLite URL has a database of its own, in memory."""
    if _scheme(url).partition("+")[0] != "sqlite":
        return False
    location, _, query = url.partition("://")[2].partition("?")
    database = location.partition("/")[2]
    if "cache=shared" in query or "cache=shared" in database:
        return False
    if database.startswith("file:"):
        return ":memory:" in database or "mode=memory" in query
    return database in ("", ":memory:")


def _scheme(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return scheme if separator else ""
