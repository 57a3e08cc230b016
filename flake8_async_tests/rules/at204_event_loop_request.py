"""AT204: a test or fixture asks for `event_loop`, which is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import unknown_plugin
from flake8_async_tests.source.fixtures import EVENT_LOOP, requested_names
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module

_FIRST_WITHOUT = (1, 0)


@rule("AT204", "event-loop-request", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    if EVENT_LOOP not in module.text or module.options.pytest_asyncio < _FIRST_WITHOUT:
        return
    for function, klass, argument in sorted(_requests(module), key=lambda request: request[2].lineno):
        if not _may_be_provided(module, function, klass) and not unknown_plugin(module):
            yield Finding(
                argument,
                f"{function.name} asks for the fixture event_loop, which is gone since pytest-asyncio 1.0: an error"
                " (in async code call asyncio.get_running_loop(), in sync code asyncio.run())",
            )


def _requests(module: Module) -> Iterator[tuple[Function, Class | None, ast.arg]]:
    for test in module.tests_where(lambda function: EVENT_LOOP in function.parameters):
        # A test case gets no fixtures whatever its parameters say.
        in_testcase = test.kind in (ClassKind.TESTCASE, ClassKind.ISOLATED)
        if not in_testcase and EVENT_LOOP in test.requests:
            yield from _parameters(test.function, test.klass)
    for fixture in module.fixtures:
        yield from _parameters(fixture.function, fixture.klass)


def _parameters(function: Function, klass: Class | None) -> Iterator[tuple[Function, Class | None, ast.arg]]:
    if EVENT_LOOP in function.parameters and EVENT_LOOP in requested_names(function):
        yield function, klass, next(each for each in arguments_of(function.node) if each.arg == EVENT_LOOP)


def _may_be_provided(module: Module, function: Function, klass: Class | None) -> bool:
    """Whether a fixture of that name is in sight. One of that name itself means the one that it overrides."""
    graph = module.fixture_graph
    if not graph.is_complete(klass):
        return True
    itself = module.fixture_of(function)
    return any(itself is None or entry.fixture is not itself for entry in graph.entries_of(EVENT_LOOP, klass))
