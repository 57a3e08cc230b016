"""AT203: a fixture `event_loop`, which pytest-asyncio no longer looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.precautions import is_for_some_versions
from flake8_async_tests.project.fixture_graph import FixtureGraph
from flake8_async_tests.requesters import is_pytest_asyncio_at_work, modules_in_sight
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.fixtures import EVENT_LOOP, name_requested_late

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_FIRST_WITHOUT = (1, 0)

# What a file holds that asks for it. The bare word is in `get_event_loop` as well.
_REQUESTS = (b"(event_loop", b" event_loop", b",event_loop", b'"event_loop"', b"'event_loop'")

_IGNORED = (
    "fixture event_loop is ignored since pytest-asyncio 1.0: tests and fixtures run on loops of their own (remove it,"
    " and give them a loop_scope)"
)
_ASKED_FOR = (
    "fixture event_loop gives those who ask for it a loop that is not the running one since pytest-asyncio 1.0 (let"
    " them call asyncio.get_running_loop(), and remove it)"
)


@rule("AT203", "event-loop-override", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    found = [
        fixture
        for fixture in module.fixtures
        if fixture.name == EVENT_LOOP
        and not fixture.function.is_nested
        and not is_for_some_versions(module, fixture.function.node, fixture.function.outer)
    ]
    if not found or module.options.pytest_asyncio < _FIRST_WITHOUT:
        return
    if not is_pytest_asyncio_at_work(module):
        return
    requesters = _requesters_by_place(module)
    for fixture in found:
        # Asked for, and by nothing that is async: then it is somebody's own, and works.
        asking = requesters.get(fixture.place)
        if asking != {"sync"}:
            yield Finding(fixture.function.node, _ASKED_FOR if asking else _IGNORED)


def _requesters_by_place(module: Module) -> dict[tuple[str, int], set[str]]:
    """What kind of functions ask for each of the fixtures of that name."""
    found: dict[tuple[str, int], set[str]] = {}
    for other in modules_in_sight(module, *_REQUESTS):
        graph = module.fixture_graph if other is module else FixtureGraph(other)
        for is_async, klass in _requests_in(other):
            meant = graph.find(EVENT_LOOP, klass)
            if meant is not None:
                found.setdefault(meant.place, set()).add("async" if is_async else "sync")
    return found


def _requests_in(module: Module) -> Iterator[tuple[bool, Class | None]]:
    """Whether something that asks for a fixture of that name is async, and the class that it stands in."""
    # An override that hands on what it overrides is no use of it.
    asking: list[Test | Fixture] = [*module.tests, *(each for each in module.fixtures if each.name != EVENT_LOOP)]
    for each in asking:
        if EVENT_LOOP in each.requests:
            yield each.is_async, each.klass
    for call in module.method_calls("getfixturevalue"):
        if call.function is not None and name_requested_late(call) == EVENT_LOOP:
            yield call.function.is_async, call.function.klass
