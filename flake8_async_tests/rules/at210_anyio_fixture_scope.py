"""AT210: an async fixture that anyio has to keep for longer than its backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.loops import is_narrower
from flake8_async_tests.requesters import is_run_by_anyio
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module

_SCOPE_OF_ANYIOS_OWN = "module"


@rule("AT210", "anyio-fixture-scope", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for fixture in module.fixtures:
        if not fixture.is_async or fixture.scope in (None, "function"):
            continue
        backend, whose = _scope_of_backend(fixture)
        if backend is None or not is_narrower(backend, fixture.scope):
            continue
        if is_run_by_anyio(fixture):
            yield Finding(
                fixture.function.node,
                f"async fixture {fixture.name} has the scope {fixture.scope}, but {whose} only {backend}: ScopeMismatch"
                f' (give anyio_backend scope="{fixture.scope}")',
            )


def _scope_of_backend(fixture: Fixture) -> tuple[str | None, str]:
    """The scope of the nearest `anyio_backend`, None where it cannot be known, and whose fixture that is."""
    graph = fixture.module.fixture_graph
    entries = graph.entries_of("anyio_backend", fixture.klass)
    if not graph.is_complete(fixture.klass):
        return None, ""
    if not entries:
        return _SCOPE_OF_ANYIOS_OWN, "anyio's own anyio_backend has"
    backend = entries[0].fixture
    return backend.scope if backend is not None else None, "the anyio_backend in sight has"
