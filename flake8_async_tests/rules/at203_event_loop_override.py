"""AT203: a fixture `event_loop`, which pytest-asyncio no longer looks at."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from flake8_async_tests.hooks import has_hook
from flake8_async_tests.inference.places.precautions import is_for_some_versions
from flake8_async_tests.project.fixture_graph import FixtureGraph
from flake8_async_tests.requesters import is_pytest_asyncio_at_work, modules_in_sight, names_given
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import unknown_provider
from flake8_async_tests.source.fixtures import EVENT_LOOP, name_requested_late

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.fixture_graph import Closure
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module

_Place: TypeAlias = tuple[str, int]

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
    if not is_pytest_asyncio_at_work(module) or _may_others_use_it(module):
        return
    requesters = _requesters_by_place(module)
    for fixture in found:
        # Asked for, and by nothing that is async: then it is somebody's own, and works.
        asking = requesters.get(fixture.place)
        if asking != {"sync"}:
            yield Finding(fixture.function.node, _ASKED_FOR if asking else _IGNORED)


def _may_others_use_it(module: Module) -> bool:
    """Whether a plugin that is not known here, or a hook in sight, runs the tests and may take the loop for it."""
    modules = (module, *module.project.conftests(module.directory).modules)
    return bool(unknown_provider(module)) or any(has_hook(each, "pytest_pyfunc_call") for each in modules)


def _requesters_by_place(module: Module) -> dict[_Place, set[str]]:
    """What kind of functions ask for each of the fixtures of that name."""
    found: dict[_Place, set[str]] = {}
    names = names_given(module, EVENT_LOOP)
    for other in _modules_with_requests(module, names):
        graph = module.fixture_graph if other is module else FixtureGraph(other)
        for name, is_async, klass in _requests_in(other, names):
            meant = graph.find(name, klass)
            if meant is not None:
                found.setdefault(meant.place, set()).add(_kind(is_async))
        for test in other.tests:
            # What fixtures ask for is looked up from the test: it may be one that stands nearer to it than they do.
            kinds = set() if names.isdisjoint(test.requests) else {_kind(test.is_async)}
            _add_requests_of(graph.closure_of(test), kinds, names, found)
    # What is there without being asked for serves tests that need not say anything of it.
    _add_requests_of(module.fixture_graph.closure(None, ()), set(), names, found)
    return found


def _modules_with_requests(module: Module, names: frozenset[str]) -> Iterator[Module]:
    """The modules in sight that name it, or a fixture that is in sight and draws it in."""
    seen: set[str] = set()
    leading = module.fixture_graph.names_leading_to(EVENT_LOOP) | names - {EVENT_LOOP}
    words = tuple(name.encode(errors="replace") for name in sorted(leading))
    for other in chain(modules_in_sight(module, *_REQUESTS), modules_in_sight(module, *words)):
        if other.path not in seen:
            seen.add(other.path)
            yield other


def _add_requests_of(closure: Closure, kinds: set[str], names: frozenset[str], found: dict[_Place, set[str]]) -> None:
    """Add what fixtures that are set up together ask for, with what is asked for beside them."""
    kinds = kinds | {
        _kind(each.is_async)
        for each in closure.fixtures
        if each.name not in names and not names.isdisjoint(each.requests)
    }
    for fixture in closure.fixtures:
        if fixture.name == EVENT_LOOP and kinds:
            found.setdefault(fixture.place, set()).update(kinds)


def _kind(is_async: bool) -> str:
    return "async" if is_async else "sync"


def _requests_in(module: Module, names: frozenset[str]) -> Iterator[tuple[str, bool, Class | None]]:
    """By which name something asks for such a fixture, whether it is async, and the class that it stands in."""
    # An override that hands on what it overrides is no use of it.
    for fixture in module.fixtures:
        if fixture.name not in names:
            yield from ((name, fixture.is_async, fixture.klass) for name in names.intersection(fixture.requests))
    for call in module.method_calls("getfixturevalue"):
        if call.function is not None and name_requested_late(call) in names:
            yield name_requested_late(call), call.function.is_async, call.function.klass
