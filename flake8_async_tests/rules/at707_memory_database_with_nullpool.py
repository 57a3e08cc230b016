"""AT707: an SQLite database in memory without a pool that keeps its one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import replace, spell, unsafe
from flake8_async_tests.inference.clients.databases import is_private_memory, url_given
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

ENGINES = (
    "sqlalchemy.create_engine",
    "sqlalchemy.engine.create_engine",
    "sqlalchemy.ext.asyncio.create_async_engine",
    "sqlmodel.create_engine",
)
NULL_POOLS = ("sqlalchemy.NullPool", "sqlalchemy.pool.NullPool")
# These make the connections themselves, whatever the URL says.
CREATORS = frozenset({"creator", "async_creator"})


@rule("AT707", "memory-database-with-nullpool", knows=Knows.FILE, fix="unsafe", calls=ENGINES)
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*ENGINES):
        for keyword in call.node.keywords:
            if keyword.arg != "poolclass" or module.qualified(keyword.value, call.scope) not in NULL_POOLS:
                continue
            makes_its_own = any(other.arg in CREATORS for other in call.node.keywords)
            url = url_given(call)
            if url is None or not is_private_memory(url) or makes_its_own:
                continue
            if not function_may_be_replaced(call):
                yield Finding(
                    keyword,
                    f"poolclass=NullPool makes every connection to {url} a new empty database"
                    " (use StaticPool, which keeps one connection)",
                    _fix(call, keyword),
                )


def _fix(call: Call, keyword: ast.keyword) -> Fix | None:
    pool = spell(call.module, call.scope, "sqlalchemy.pool", "StaticPool", line=call.node.lineno)
    return unsafe(replace(keyword.value, pool.text), names=[pool]) if pool is not None else None
