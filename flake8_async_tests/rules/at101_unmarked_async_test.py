"""AT101: an async test that nobody runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_decorator, spell, unsafe
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.runner import Runs, mark_for, may_be_nobodys, runner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test


@rule("AT101", "unmarked-async-test", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    if not module.has_async_functions or not may_be_nobodys(module):
        return
    for test in module.async_tests:
        runner = runner_of(test)
        if runner.runs is not Runs.NOBODY or any(klass.is_testcase for klass in test.collectors):
            continue
        if not test.is_skipped:
            yield Finding(
                test.node,
                f"async test {test.function.name} never runs: {runner.reason} and nothing else runs it"
                f" ({_remedy(module)})",
                _fix(test),
            )


def _remedy(module: Module) -> str:
    mark = mark_for(module)
    return f"mark it @pytest.mark.{mark}" if mark else "mark it for the plugin that runs the project's async tests"


def _fix(test: Test) -> Fix | None:
    module = test.module
    name = mark_for(module)
    mark = spell(module, test.function.outer, "pytest", f"mark.{name}", line=test.node.lineno) if name else None
    return unsafe(insert_decorator(module, test.node, mark.text), names=[mark]) if mark is not None else None
