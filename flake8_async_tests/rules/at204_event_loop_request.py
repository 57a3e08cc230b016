"""AT204: a test or fixture asks for `event_loop`, which is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.hooks import may_be_generated, names_filled
from flake8_async_tests.requesters import modules_in_sight
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import unknown_provider
from flake8_async_tests.source.fixtures import EVENT_LOOP, requested_names
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_FIRST_WITHOUT = (1, 0)

# What a file holds that has a fixture of that name.
_DEFINITIONS = (b"def event_loop", b'"event_loop"', b"'event_loop'")
# What one holds that imports it from somewhere else. As a whole word, it is looked for as such.
_IMPORTS = (EVENT_LOOP.encode(),)


@rule("AT204", "event-loop-request", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    if EVENT_LOOP not in module.text or module.options.pytest_asyncio < _FIRST_WITHOUT:
        return
    for function, klass, argument in sorted(_requests(module), key=lambda request: request[2].lineno):
        if not _may_be_provided(module, function, klass) and not unknown_provider(module):
            yield Finding(
                argument,
                f"{function.name} asks for the fixture event_loop, which is gone since pytest-asyncio 1.0: an error"
                " (in async code call asyncio.get_running_loop(), in sync code asyncio.run())",
            )


def _requests(module: Module) -> Iterator[tuple[Function, Class | None, ast.arg]]:
    for test in module.tests_where(lambda function: EVENT_LOOP in function.parameters):
        # A test case gets no fixtures whatever its parameters say.
        in_testcase = test.kind in (ClassKind.TESTCASE, ClassKind.ISOLATED)
        if not in_testcase and EVENT_LOOP in test.requests and not _may_be_parametrized(test):
            yield from _parameters(test.function, test.klass)
    for fixture in module.fixtures:
        requests = list(_parameters(fixture.function, fixture.klass))
        if requests and not _may_be_nearer_to_tests(fixture):
            yield from requests


def _parameters(function: Function, klass: Class | None) -> Iterator[tuple[Function, Class | None, ast.arg]]:
    if EVENT_LOOP in function.parameters and EVENT_LOOP in requested_names(function):
        yield function, klass, next(each for each in arguments_of(function.node) if each.arg == EVENT_LOOP)


def _may_be_provided(module: Module, function: Function, klass: Class | None) -> bool:
    """Whether a fixture of that name is in sight. One of that name itself means the one that it overrides."""
    graph = module.fixture_graph
    if not graph.is_complete(klass) or may_be_generated(module, EVENT_LOOP):
        return True
    itself = module.fixture_of(function)
    return any(itself is None or entry.fixture is not itself for entry in graph.entries_of(EVENT_LOOP, klass))


def _may_be_nearer_to_tests(fixture: Fixture) -> bool:
    """Whether one of that name stands where only tests see it: what a fixture asks for is looked up from the test."""
    defining = modules_in_sight(fixture.module, *_DEFINITIONS)
    return any(
        other.name == EVENT_LOOP and other is not fixture for module in defining for other in module.fixtures
    ) or any(
        entry.fixture is None or entry.fixture.place != fixture.place
        for module in modules_in_sight(fixture.module, *_IMPORTS)
        for entry in module.provided_fixtures.entries_of(EVENT_LOOP)
    )


def _may_be_parametrized(test: Test) -> bool:
    module = test.module
    calls = [mark.call for mark in test.marks.named("parametrize") if mark.call is not None]
    filled = [names_filled(module.call_at(call, module.scope)) for call in calls]
    return any(names is None or EVENT_LOOP in names for names in filled)
