"""AT210: an async fixture that anyio has to keep for longer than its backend."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.loops import is_narrower
from flake8_async_tests.requesters import is_run_on_backend_unasked, requesting_tests, requesting_tests_of_anyio
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.fixtures import SCOPES
from flake8_async_tests.source.tests import argument_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class
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
    """The scope of a narrower `anyio_backend` that the fixture gets, None where there is none, and whose that is.

    It gets the one that the test sees: what it sees itself counts where no test in sight asks for it.
    """
    backend, whose = _scope_of_backend(fixture.module, fixture.klass)
    is_narrow_here = backend is not None and is_narrower(backend, scope)
    is_asked_for = False
    # Where the nearest one is wide enough, only tests that speak of another one can have a narrower.
    found = requesting_tests_of_anyio(fixture) if is_narrow_here else requesting_tests(fixture, b"anyio_backend")
    for test, with_anyio in found:
        is_asked_for = True
        of_test, whose_of_test = _backend_of(test) if with_anyio else (None, "")
        if of_test is not None and is_narrower(of_test, scope):
            return of_test, whose_of_test
    return (
        (backend, whose) if is_narrow_here and not is_asked_for and is_run_on_backend_unasked(fixture) else (None, "")
    )


def _backend_of(test: Test) -> tuple[str | None, str]:
    if "anyio_backend" in test.parametrized:
        return _scope_of_parametrized_backend(test), f"the anyio_backend that parametrizes {test.function.name} has"
    return _scope_of_backend(test.module, test.klass)


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


def _scope_of_backend(module: Module, klass: Class | None) -> tuple[str | None, str]:
    """The scope of the `anyio_backend` that is the nearest to a place, None where unknown, and whose fixture it is."""
    graph = module.fixture_graph
    entries = graph.entries_of("anyio_backend", klass)
    if not graph.is_complete(klass):
        return None, ""
    if not entries:
        return _SCOPE_OF_ANYIOS_OWN, "anyio's own anyio_backend has"
    backend = entries[0].fixture
    return backend.scope if backend is not None else None, "the anyio_backend in sight has"
