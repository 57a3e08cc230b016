"""The places at which several mutators plant their pitfalls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.mutation.source import FUNCTIONS, FunctionNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.mutation.reading import Fixture, Reading, Test


def file(reading: Reading) -> Iterator[Reading]:
    """The file as a whole, where it holds async tests."""
    if reading.async_tests:
        yield reading


def conftest(reading: Reading) -> Iterator[Reading]:
    if reading.is_conftest:
        yield reading


def async_tests(reading: Reading) -> Iterator[Test]:
    yield from reading.async_tests


def running_async_tests(reading: Reading) -> Iterator[Test]:
    """The async tests that somebody certainly runs, on asyncio."""
    for test in reading.async_tests if not reading.may_run_on_trio else ():
        if reading.runner(test) in ("asyncio", "unittest", "anyio"):
            yield test


def tests_on_asyncio(reading: Reading) -> Iterator[Test]:
    """The async tests that pytest-asyncio runs."""
    for test in reading.async_tests:
        if reading.runner(test) == "asyncio":
            yield test


def marked_tests(reading: Reading) -> Iterator[Test]:
    """The async tests under an asyncio mark of their own."""
    for test in reading.async_tests:
        if test.kind == "plain" and reading.own_mark(test.node, "asyncio") is not None:
            yield test


def sync_tests(reading: Reading) -> Iterator[Test]:
    for test in reading.tests:
        if not test.is_async:
            yield test


def fixtures(reading: Reading) -> Iterator[Fixture]:
    yield from reading.fixtures


def async_fixtures(reading: Reading) -> Iterator[Fixture]:
    for fixture in reading.fixtures:
        if fixture.is_async:
            yield fixture


def yielding_async_fixtures(reading: Reading) -> Iterator[Fixture]:
    """The async fixtures with one yield."""
    for fixture in async_fixtures(reading):
        if reading.the_yield(fixture.node) is not None:
            yield fixture


def awaits_on_asyncio(reading: Reading) -> Iterator[ast.Await]:
    """The same, where nothing speaks of trio."""
    if not reading.may_run_on_trio:
        yield from awaits(reading)


def awaits(reading: Reading) -> Iterator[ast.Await]:
    """Every await of a call in a function of the file."""
    for node in reading.source.of(ast.Await):
        if isinstance(node.value, ast.Call):
            yield node


def awaits_in_tests_and_fixtures(reading: Reading) -> Iterator[ast.Await]:
    """The awaits of calls that stand directly in a test or a fixture."""
    for node in awaits(reading):
        function = reading.source.function_of(node)
        if function is not None and (reading.is_test(function) or reading.is_fixture(function)):
            yield node


def awaited_statements(reading: Reading) -> Iterator[ast.Await]:
    """`await work()` as a statement."""
    for node in awaits(reading):
        if isinstance(reading.source.parents[node], ast.Expr):
            yield node


def awaited_statements_on_asyncio(reading: Reading) -> Iterator[ast.Await]:
    if not reading.may_run_on_trio:
        yield from awaited_statements(reading)


def awaited_statements_of_tests_on_asyncio(reading: Reading) -> Iterator[ast.Await]:
    if not reading.may_run_on_trio:
        yield from awaited_statements_of_tests(reading)


def sync_tests_on_asyncio(reading: Reading) -> Iterator[Test]:
    if not reading.may_run_on_trio:
        yield from sync_tests(reading)


def awaited_statements_of_tests(reading: Reading) -> Iterator[ast.Await]:
    for node in awaits_in_tests_and_fixtures(reading):
        if isinstance(reading.source.parents[node], ast.Expr):
            yield node


def calls_of(*names: str) -> Callable[[Reading], Iterator[ast.Call]]:
    """The calls of things with these full names."""

    def sites(reading: Reading) -> Iterator[ast.Call]:
        for node in reading.source.of(ast.Call):
            if reading.source.dotted(node.func) in names:
                yield node

    return sites


def owner(reading: Reading, node: ast.AST) -> FunctionNode | None:
    """The `def` in whose own body a node stands; None in lambdas and outside of functions."""
    function = reading.source.function_of(node)
    return function if isinstance(function, FUNCTIONS) else None
