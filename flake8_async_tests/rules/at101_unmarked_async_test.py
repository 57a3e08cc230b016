"""AT101: an async test that nobody runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import Runs, runner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


@rule("AT101", "unmarked-async-test", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for test in module.async_tests:
        if any(klass.is_testcase for klass in test.collectors) or test.is_skipped:
            continue
        runner = runner_of(test)
        if runner.runs is Runs.NOBODY:
            yield Finding(
                test.node,
                f"async test {test.function.name} never runs: {runner.reason} and nothing else runs it"
                " (mark it @pytest.mark.asyncio)",
            )
