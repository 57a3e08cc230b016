"""AT910: a test that is async and has no reason to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import lines_of, make_sync, remove_decorator, unsafe
from flake8_async_tests.fixing.lines import end_of
from flake8_async_tests.inference.loops.needed import may_need_running_loop
from flake8_async_tests.inference.places.suspension import suspends
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.fixtures import late_requests
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.marks import RUNNING_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.marks import Mark
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

# pytest's own fixtures, all of them sync.
_PYTESTS_OWN = frozenset(
    {
        "cache",
        "capfd",
        "capfdbinary",
        "caplog",
        "capsys",
        "capsysbinary",
        "capteesys",
        "doctest_namespace",
        "monkeypatch",
        "pytestconfig",
        "pytester",
        "record_property",
        "record_testsuite_property",
        "record_xml_attribute",
        "recwarn",
        "request",
        "subtests",
        "testdir",
        "tmp_path",
        "tmp_path_factory",
        "tmpdir",
        "tmpdir_factory",
    }
)


@rule("AT910", "async-test-without-await", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    for test in module.async_tests:
        if any(map(suspends, test.function.scope.nodes)) or _overrides(test):
            continue
        givers = _functions_of_its_sync_fixtures(test)
        if givers is not None and not may_need_running_loop(module, test.function.scope, givers):
            yield Finding(
                test.node,
                f"async test {test.function.name} awaits nothing: it starts an event loop and has no use for it"
                " (make it a plain def)",
                _fix(test),
            )


def _fix(test: Test) -> Fix | None:
    """A plain `def`, and without the marks that are for async tests alone: none where one of them says more."""
    marks = test.function.own_marks.named(*RUNNING_MARKS)
    if any(_says_more(test.module, mark) for mark in marks):
        return None
    return unsafe(make_sync(test.module, test.node), *(remove_decorator(test.module, mark.node) for mark in marks))


def _says_more(module: Module, mark: Mark) -> bool:
    """Whether a comment beside it may tell why there is a loop, or it runs the test several times."""
    keywords = [] if mark.call is None else [keyword.arg for keyword in mark.call.keywords]
    return "loop_factories" in keywords or "#" in lines_of(module).after(end_of(mark.node))


def _overrides(test: Test) -> bool:
    """Whether a base of its class has, or may have, the same method."""
    klass = test.function.klass
    if klass is None:
        return False
    if klass.kind is ClassKind.UNKNOWN:
        return True
    return any(test.function.name in base.methods for base in klass.lineage[1:])


def _functions_of_its_sync_fixtures(test: Test) -> list[Function] | None:
    """The functions of all its fixtures; None where one of them is async, or may be."""
    graph = test.module.fixture_graph
    closure = graph.closure_of(test)
    functions = [fixture.function for fixture in closure.fixtures]
    are_sync = (
        closure.complete
        and not any(map(late_requests, [test.function, *functions]))
        and not any(fixture.is_async for fixture in closure.fixtures)
        and all(name in _PYTESTS_OWN or graph.find(name, test.klass) is not None for name in closure.names)
    )
    return functions if are_sync else None
