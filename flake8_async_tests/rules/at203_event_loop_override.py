"""AT203: a fixture `event_loop`, which pytest-asyncio no longer looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.project.fixture_graph import FixtureGraph
from flake8_async_tests.requesters import is_pytest_asyncio_at_work, modules_in_sight
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.fixtures import EVENT_LOOP, is_same_fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module

_FIRST_WITHOUT = (1, 0)


@rule("AT203", "event-loop-override", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    found = [fixture for fixture in module.fixtures if fixture.name == EVENT_LOOP]
    if not found or module.options.pytest_asyncio < _FIRST_WITHOUT:
        return
    if not is_pytest_asyncio_at_work(module):
        return
    for fixture in found:
        if not _serves_sync_code_only(fixture):
            yield Finding(
                fixture.function.node,
                "fixture event_loop is ignored since pytest-asyncio 1.0: tests and fixtures run on loops of their own"
                " (remove it, and give them a loop_scope)",
            )


def _serves_sync_code_only(fixture: Fixture) -> bool:
    """Whether it is asked for, and by nothing that is async: then it is somebody's own, and works."""
    found = set(_kinds_of_requesters(fixture))
    return found == {"sync"}


def _kinds_of_requesters(fixture: Fixture) -> Iterator[str]:
    for module in modules_in_sight(fixture.module, EVENT_LOOP.encode()):
        graph = module.fixture_graph if module is fixture.module else FixtureGraph(module)
        for test in module.tests:
            if EVENT_LOOP in test.requests and is_same_fixture(graph.find(EVENT_LOOP, test.klass), fixture):
                yield "async" if test.is_async else "sync"
        for other in module.fixtures:
            if EVENT_LOOP in other.requests and is_same_fixture(graph.find(EVENT_LOOP, other.klass), fixture):
                yield "async" if other.is_async else "sync"
