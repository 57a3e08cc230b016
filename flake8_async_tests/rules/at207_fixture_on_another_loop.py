"""AT207: a test gets from a fixture what belongs to another loop than its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.tasks.loop_bound import Belongs, ClosingFails, Thing, holdings_of
from flake8_async_tests.loops import (
    FIXTURE_OPTION,
    TEST_OPTION,
    UNKNOWN,
    Loop,
    is_narrower,
    is_run_by_asyncio,
    loop_of_fixture,
    loop_of_test,
)
from flake8_async_tests.record import record
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import Runs, asyncio_mode, runner_of
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test


@record
class _Source:
    """A fixture behind a parameter, and something that it holds or keeps running on its loop."""

    fixture: Fixture
    thing: Thing
    loop: Loop
    user: Fixture | None = None
    """The fixture that works with it, where that does not hand it on to the test."""


@rule("AT207", "fixture-on-another-loop", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    if "asyncio" in module.project.config_for(module.directory).disabled_plugins:
        return
    is_auto = asyncio_mode(module.project, module.directory).is_auto
    for test in module.async_tests:
        # Who runs it in the end is asked for last. Classes that collect one test may be marked differently.
        if not is_auto and not test.marks.has("asyncio") and len(test.collectors) < 2:
            continue
        for name, source, loop in _sources_on_other_loops(test):
            argument = next((each for each in arguments_of(test.node) if each.arg == name), None)
            if argument is not None:
                yield Finding(argument, _message(name, source, loop))


def _sources_on_other_loops(test: Test) -> Iterator[tuple[str, _Source, Loop]]:
    scopes = _loop_scopes_behind(test)
    if not scopes or not _is_asyncios(test):
        return
    loop = loop_of_test(test)
    if loop.scope is None or scopes == {loop.scope}:
        return
    for name in test.requests:
        sources = _sources_behind(test, name)
        source = next((each for each in sources if _hurts(each, loop, test) and not _is_mocked(each.thing, test)), None)
        if source is not None:
            yield name, source, loop


def _loop_scopes_behind(test: Test) -> set[str]:
    """The loops of all async fixtures that may be behind the test's parameters: mostly none, or the test's own.

    What really fills a parameter is asked for later: the names mean the same for all tests of a class.
    """
    found: set[str] = set()
    arguments = arguments_of(test.node)
    if test.function.is_method and not test.node.decorator_list:
        # The object itself, which no fixture fills.
        del arguments[:1]
    if arguments:
        known = test.module.fact(_scopes_by_name)
        home = test.module.fixture_graph.home_of(test.klass)
        for argument in arguments:
            key = (home, argument.arg)
            if key not in known:
                known[key] = _loop_scopes_of(test.module, home, argument.arg)
            found |= known[key]
    return found


def _loop_scopes_of(module: Module, klass: Class | None, name: str) -> frozenset[str]:
    loops = [_loop_of(fixture, module) for fixture in module.fixture_graph.all_behind(name, klass)]
    return frozenset(loop.scope for loop in loops if loop.scope is not None)


def _scopes_by_name(_: Module) -> dict[tuple[Class | None, str], frozenset[str]]:
    """What is known so far of the names of parameters."""
    return {}


def _loops_by_fixture(_: Module) -> dict[Fixture, Loop]:
    """What is known so far of the fixtures that tests of a module ask for."""
    return {}


def _loop_of(fixture: Fixture, module: Module) -> Loop:
    """The loop of an async fixture that pytest-asyncio runs; that of any other is of no interest here."""
    known = module.fact(_loops_by_fixture)
    if fixture not in known:
        known[fixture] = loop_of_fixture(fixture, module) if _is_asyncios_async(fixture, module) else UNKNOWN
    return known[fixture]


def _is_asyncios(test: Test) -> bool:
    """Whether pytest-asyncio runs the test and its fixtures: where anyio is drawn in, that takes over the fixtures."""
    if runner_of(test).runs is not Runs.ASYNCIO or test.marks.has("anyio"):
        return False
    return "anyio_backend" not in test.module.fixture_graph.closure_of(test).names


def _hurts(source: _Source, loop: Loop, test: Test) -> bool:
    """Whether the thing cannot be used on the test's own loop: by the test, or by a fixture on that loop."""
    scope, own = source.loop.scope, loop.scope
    if scope is None or own is None or scope == own:
        return False
    if source.user is not None and _loop_of(source.user, test.module).scope != own:
        return False
    thing = source.thing
    if thing.belongs is Belongs.AT_ONCE:
        return True
    if source.fixture.scope is not None and is_narrower(own, source.fixture.scope):
        # Tests on several loops share it.
        return True
    fails = ClosingFails.ON_WIDER_LOOP if is_narrower(own, scope) else ClosingFails.ON_NARROWER_LOOP
    return thing.closing_fails is fails


def _is_mocked(thing: Thing, test: Test) -> bool:
    if not thing.is_mocked_by:
        return False
    names = test.module.fixture_graph.closure_of(test).names
    return test.module.imports(*thing.is_mocked_by) or not names.isdisjoint(thing.is_mocked_by)


# -- what is behind a parameter ---------------------------------------------------------------------------------------

_Key = tuple["Class | None", str, tuple[str, ...]]


def _known_sources(_: Module) -> dict[_Key, tuple[_Source, ...]]:
    """What is known so far of the names that tests ask for."""
    return {}


def _sources_behind(test: Test, name: str) -> tuple[_Source, ...]:
    known = test.module.fact(_known_sources)
    key = (test.module.fixture_graph.home_of(test.klass), name, test.parametrized)
    if key not in known:
        # What fails whatever the test does with it is told rather than what fails sometimes.
        found = sorted(_find_sources(test, name), key=lambda source: source.thing.belongs is not Belongs.AT_ONCE)
        known[key] = tuple(found)
    return known[key]


def _find_sources(test: Test, name: str) -> Iterator[_Source]:
    """What it hands out comes first, then what is only kept running behind it, or worked with."""
    graph = test.module.fixture_graph
    closure = graph.closure_behind(name, test.klass, test.parametrized)
    for fixture in _handing_out(test, graph.find(name, test.klass)):
        if fixture in closure.fixtures:
            yield from _sources_in(fixture, holdings_of(fixture).held, test.module)
    for fixture in closure.fixtures:
        yield from _sources_in(fixture, holdings_of(fixture).running, test.module)
    for user in closure.fixtures:
        for other in sorted(holdings_of(user).works_with):
            for fixture in _handing_out(test, _found_by(user, other, test)):
                # What may be waited for in vain is told of those who wait.
                things = [thing for thing in holdings_of(fixture).held if thing.belongs is not Belongs.AT_FIRST_WAIT]
                if fixture in closure.fixtures:
                    yield from _sources_in(fixture, things, test.module, user)


def _sources_in(
    fixture: Fixture, things: Iterable[Thing], module: Module, user: Fixture | None = None
) -> Iterator[_Source]:
    loop = _loop_of(fixture, module)
    return (_Source(fixture, thing, loop, user) for thing in things if loop.scope is not None)


def _found_by(fixture: Fixture, name: str, test: Test) -> Fixture | None:
    """What a fixture gets under a name: under its own the one that it overrides."""
    beyond = fixture if name == fixture.name else None
    return test.module.fixture_graph.find(name, test.klass, beyond=beyond)


def _is_asyncios_async(fixture: Fixture, module: Module) -> bool:
    return fixture.is_async and fixture.function.keeps_its_nature and is_run_by_asyncio(fixture, module)


def _handing_out(test: Test, first: Fixture | None) -> Iterator[Fixture]:
    """A fixture, and those whose values it hands on."""
    todo = [first]
    seen: set[Fixture] = set()
    while todo:
        fixture = todo.pop(0)
        if fixture is None or fixture in seen:
            continue
        seen.add(fixture)
        yield fixture
        todo += (_found_by(fixture, other, test) for other in sorted(holdings_of(fixture).hands_on))


# -- what is said of it ------------------------------------------------------------------------------------------------


def _message(name: str, source: _Source, loop: Loop) -> str:
    through = f', behind "{name}",' if name != source.fixture.name else ""
    own = "its own function loop" if loop.scope == "function" else f"the {loop.scope} loop"
    if source.user is not None:
        return (
            f'"{source.fixture.name}" ({source.loop.scope} loop) {source.thing.what}, but "{source.user.name}", which'
            f" works with it, runs on the {loop.scope} loop, as this test does"
            f' (set loop_scope="{source.loop.scope}" on both{_decided(source, loop)})'
        )
    return (
        f'"{source.fixture.name}" ({source.loop.scope} loop){through} {source.thing.what}, but this test runs on {own}'
        f" ({_remedy(source, loop)}{_decided(source, loop)})"
    )


def _remedy(source: _Source, loop: Loop) -> str:
    scope, own = source.loop.scope, loop.scope
    assert scope is not None
    assert own is not None
    arguments = f'loop_scope="{own}"'
    if source.fixture.scope is not None and is_narrower(own, source.fixture.scope):
        arguments = f'scope="{own}" and {arguments}'
    # pytest's own decorator takes no loop scope.
    is_pytests = source.fixture.library == "pytest"
    on_the_fixture = f"use pytest_asyncio.fixture with {arguments}" if is_pytests else f"set {arguments} on the fixture"
    return on_the_fixture if is_narrower(scope, own) else f'set loop_scope="{scope}" on the test, or {on_the_fixture}'


def _decided(source: _Source, loop: Loop) -> str:
    """Which lines of the configuration have a part in it."""
    found = [
        f"{option} in {each.decided_by}"
        for option, each in ((FIXTURE_OPTION, source.loop), (TEST_OPTION, loop))
        if each.decided_by
    ]
    return f"; decided by {' and '.join(found)}" if found else ""
