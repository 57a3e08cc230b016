"""AT107: an asyncio mark on a test that is not async."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_decorator, safe
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


@rule("AT107", "asyncio-mark-on-sync-test", knows=Knows.FILE, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    if "asyncio" not in module.text:
        return
    for test in module.tests_where(lambda function: not function.is_async and bool(function.node.decorator_list)):
        if test.kind is not ClassKind.PLAIN:
            continue
        # Under a decorator from elsewhere a sync function may well become an async one.
        if not all(decorator.is_pytests_own for decorator in test.function.decorators):
            continue
        for mark in test.function.own_marks.named("asyncio"):
            yield Finding(
                mark.node,
                f"asyncio mark on the sync test {test.function.name} has no effect but a warning"
                " (remove it, or make the test async)",
                safe(remove_decorator(module, mark.node)),
            )
