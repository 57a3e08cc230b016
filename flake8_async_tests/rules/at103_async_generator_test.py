"""AT103: a `yield` makes an async test an async generator, which nobody runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import Runs, asyncio_mode, runner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope


@rule("AT103", "async-generator-test", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    firsts: dict[Scope, ast.Yield] = {}
    for node, scope in module.of_kind(ast.Yield):
        # The first one is enough: they all mean the same.
        if scope not in firsts or place_of(node) < place_of(firsts[scope]):
            firsts[scope] = node
    for scope, node in firsts.items():
        test = module.test_of(module.function_at(scope))
        if test is None or not test.is_async or test.is_skipped:
            continue
        decorators = test.function.decorators
        # One of this file may well go through the generator.
        if any(not decorator.name for decorator in decorators):
            continue
        runs = _who_takes_it(test)
        if runs is Runs.ASYNCIO and all(decorator.is_pytests_own for decorator in decorators):
            outcome = "pytest-asyncio marks it as an expected failure"
        elif runs is Runs.ASYNCIO:
            # What `patch` makes of it is no async generator for pytest-asyncio, and no coroutine function either.
            outcome = "pytest skips it up to 8.3 and fails it since 8.4"
        elif runs is Runs.UNITTEST:
            outcome = "unittest lets it pass"
        else:
            continue
        yield Finding(
            node,
            f"yield makes the test {test.function.name} an async generator, which never runs: {outcome}"
            " (take the yield out, or make a fixture of what stands around it)",
            about=test.node,
        )


def _who_takes_it(test: Test) -> Runs:
    """Who runs it. In the automatic mode pytest-asyncio takes what is marked anyio before anyio sees it."""
    runs = runner_of(test).runs
    project, directory = test.module.project, test.module.directory
    is_taken = runs is Runs.ANYIO and asyncio_mode(project, directory).is_auto
    if is_taken and "asyncio" not in project.config_for(directory).disabled_plugins:
        return Runs.ASYNCIO
    return runs
