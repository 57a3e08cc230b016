"""AT210: an async fixture that anyio has to keep for longer than its backend."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.loops import is_narrower
from flake8_async_tests.requesters import is_run_on_backend_in_sight, requesting_tests
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.fixtures import SCOPES
from flake8_async_tests.source.tests import argument_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_SCOPE_OF_ANYIOS_OWN = "module"


@rule("AT210", "anyio-fixture-scope", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for fixture in module.fixtures:
        if not fixture.is_async or fixture.scope in (None, "function"):
            continue
        backend, whose = _narrower_backend(fixture, fixture.scope)
        if backend is not None:
            yield Finding(
                fixture.function.node,
                f"async fixture {fixture.name} has the scope {fixture.scope}, but {whose} only {backend}: ScopeMismatch"
                f' (give anyio_backend scope="{fixture.scope}")',
            )


def _narrower_backend(fixture: Fixture, scope: str) -> tuple[str | None, str]:
    """The scope of a narrower `anyio_backend` that the fixture gets, None where there is none, and whose that is."""
    backend, whose = _scope_of_backend(fixture)
    if backend is not None and is_narrower(backend, scope) and is_run_on_backend_in_sight(fixture):
        return backend, whose
    for test, _ in requesting_tests(fixture, b"anyio_backend"):
        parametrized = _scope_of_parametrized_backend(test) if "anyio_backend" in test.parametrized else None
        if parametrized is not None and is_narrower(parametrized, scope):
            return parametrized, f"the anyio_backend that parametrizes {test.function.name} has"
    return None, ""


def _scope_of_parametrized_backend(test: Test) -> str | None:
    """The scope that `parametrize` says, or its default; None where it cannot be known."""
    module = test.module
    calls = [module.call_at(mark.call, module.scope) for mark in test.marks.named("parametrize") if mark.call]
    for call in calls:
        names, given = call.argument(0, "argnames"), keyword_value(call.node, "scope")
        if given is not None and names is not None and "anyio_backend" in argument_names(names):
            value = module.value_of(given, module.scope)
            return value.value if isinstance(value, ast.Constant) and value.value in SCOPES else None
    return "function"


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
