"""AT102: an async test method of a plain TestCase, which never awaits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import replace, spell, unsafe
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module


@rule("AT102", "async-test-in-sync-testcase", knows=Knows.FILE, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    for test in module.async_tests:
        klass = test.klass
        if klass is None or test.kind_where_defined is not ClassKind.TESTCASE:
            continue
        # anyio runs the marked methods of a TestCase itself, from 4.13 on. A mark that cannot be read may be its.
        may_run = test.marks.has("anyio") or not test.marks.complete
        if not may_run and not test.is_skipped:
            yield Finding(
                test.node,
                f"async test {test.function.name} passes without running: {klass.name} is a plain TestCase, which"
                " never awaits it (inherit from unittest.IsolatedAsyncioTestCase)",
                _fix(module, klass),
            )


def _fix(module: Module, klass: Class) -> Fix | None:
    for base in klass.node.bases:
        if module.qualified(base, klass.outer) == "unittest.TestCase":
            isolated = spell(module, klass.outer, "unittest", "IsolatedAsyncioTestCase", line=klass.node.lineno)
            return unsafe(replace(base, isolated.text), names=[isolated]) if isolated is not None else None
    return None
