"""What a database URL says."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.values.literals import text_of
from flake8_async_tests.source.calls import has_double_star

if TYPE_CHECKING:
    from flake8_async_tests.source.calls import Call

_MAKE_URL = frozenset({"sqlalchemy.make_url", "sqlalchemy.engine.make_url", "sqlalchemy.engine.url.make_url"})
_CREATE = frozenset({"sqlalchemy.URL.create", "sqlalchemy.engine.URL.create", "sqlalchemy.engine.url.URL.create"})
# What `URL.create` is given of that which matters here: by position, by name, what stands before it and behind it.
_PARTS = ((0, "drivername", "", "://"), (3, "host", "", ""), (5, "database", "/", ""))


def url_given(call: Call) -> str | None:
    """The URL that a call which makes an engine gets, when it is written down in view."""
    node = call.argument(0, "url")
    if node is None:
        return None
    value = call.module.value_of(node, call.scope)
    if isinstance(value, ast.Call):
        maker = call.module.qualified(value.func, call.scope)
        if maker in _MAKE_URL and value.args:
            return text_of(call.module, value.args[0], call.scope)
        if maker in _CREATE:
            return _created(call.module.call_at(value, call.scope))
    return text_of(call.module, node, call.scope)


def _created(call: Call) -> str | None:
    """The URL that `URL.create(..)` puts together, but for the login and the port; None when a part is not in view."""
    if has_double_star(call.node) or not _is_nothing(call.argument(6, "query")):
        return None
    url = ""
    for position, name, before, after in _PARTS:
        node = call.argument(position, name)
        if _is_nothing(node):
            continue
        part = text_of(call.module, node, call.scope)
        if part is None:
            return None
        url += f"{before}{part}{after}"
    return url


def _is_nothing(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


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
