"""AT112: a test for anyio's backends that pytest-asyncio takes over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_mark, unsafe
from flake8_async_tests.hooks import may_be_generated
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.runner import asyncio_mode
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.tests import argument_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.marks import Mark
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test


@rule("AT112", "asyncio-and-anyio-marks", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not module.async_tests or "anyio" not in module.text:
        return
    if "anyio" in module.project.config_for(module.directory).disabled_plugins:
        return
    told: set[ast.expr] = set()
    for test in module.async_tests:
        marks = test.marks.named("anyio")
        if not marks or marks[0].node in told or test.kind is not ClassKind.PLAIN:
            continue
        if test.function.is_generator:
            # anyio leaves it alone, so there are no runs of its own: AT103 speaks of it.
            continue
        because = _why_asyncio_wins(test)
        if because and not _runs_on_asyncio_only(test):
            # A mark that several tests share is told of once.
            told.add(marks[0].node)
            yield Finding(
                marks[0].node,
                f"anyio mark on {test.function.name} is overruled: {because}, so its trio run is an asyncio run too"
                " (choose one of them, or an anyio_backend fixture that returns 'asyncio')",
                _fix(module, marks[0]),
            )


def _fix(module: Module, mark: Mark) -> Fix | None:
    """Without the asyncio marks of the tests under an anyio mark, if these are on no other tests."""
    if asyncio_mode(module.project, module.directory).is_auto:
        return None
    under = [test for test in module.async_tests if mark.node in {each.node for each in test.marks.named("anyio")}]
    marks = {each.node: each for test in under for each in test.marks.named("asyncio")}
    if any(
        each.node in marks and not test.marks.has("anyio")
        for test in module.async_tests
        for each in test.marks.named("asyncio")
    ):
        return None
    return unsafe(*(remove_mark(module, each) for each in marks.values()))


def _why_asyncio_wins(test: Test) -> str:
    module = test.module
    if "asyncio" in module.project.config_for(module.directory).disabled_plugins:
        return ""
    if test.marks.has("asyncio"):
        return "the test is marked asyncio as well"
    mode = asyncio_mode(module.project, module.directory)
    return f"asyncio_mode is auto ({mode.decided_by})" if mode.is_auto else ""


def _runs_on_asyncio_only(test: Test) -> bool:
    """Whether asyncio is the only backend in sight. One that cannot be read may well be that."""
    for mark in test.marks.named("parametrize"):
        names, values = _parametrized(mark)
        if names is not None and "anyio_backend" in argument_names(names):
            return values is None or not _names_another_backend(values, test.module)
    if may_be_generated(test.module, "anyio_backend"):
        return True
    graph = test.module.fixture_graph
    if not graph.is_in_sight("anyio_backend", test.klass):
        return graph.may_be_in_sight("anyio_backend", test.klass)
    fixture = graph.find("anyio_backend", test.klass)
    return fixture is None or not _gives_another_backend(fixture)


def _gives_another_backend(fixture: Fixture) -> bool:
    call = fixture.decorator.call
    params = keyword_value(call, "params") if call is not None else None
    if params is not None:
        return _names_another_backend(params, fixture.module)
    values = [node.value for node in fixture.function.scope.of(ast.Return) if isinstance(node, ast.Return)]
    return any(value is not None and _names_another_backend(value, fixture.module) for value in values)


def _names_another_backend(node: ast.expr, module: Module) -> bool:
    value = module.value_of(node, module.scope)
    return any(isinstance(each, ast.Constant) and each.value == "trio" for each in ast.walk(value))


def _parametrized(mark: Mark) -> tuple[ast.expr | None, ast.expr | None]:
    """The names and values of a `parametrize` mark."""
    if mark.call is None:
        return None, None
    given = dict(zip(("argnames", "argvalues"), mark.call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in mark.call.keywords if keyword.arg is not None}
    return given.get("argnames"), given.get("argvalues")
