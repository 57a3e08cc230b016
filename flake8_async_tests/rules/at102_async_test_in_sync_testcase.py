"""AT102: an async test method of a plain TestCase, which never awaits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


@rule("AT102", "async-test-in-sync-testcase", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for test in module.async_tests:
        klass = test.klass
        # anyio runs the marked methods of a TestCase itself, from 4.13 on.
        if klass is None or test.kind_where_defined is not ClassKind.TESTCASE or test.marks.has("anyio"):
            continue
        if not test.is_skipped:
            yield Finding(
                test.node,
                f"async test {test.function.name} passes without running: {klass.name} is a plain TestCase, which"
                " never awaits it (inherit from unittest.IsolatedAsyncioTestCase)",
            )
