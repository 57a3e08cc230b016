"""AT108: a mark that runs async tests, put on a fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_decorator, safe
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.marks import RUNNING_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


@rule("AT108", "async-mark-on-fixture", knows=Knows.FILE, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    for function in module.functions:
        fixture = module.fixture_of(function) if len(function.node.decorator_list) > 1 else None
        if fixture is None:
            continue
        for mark in fixture.function.own_marks.named(*RUNNING_MARKS):
            yield Finding(
                mark.node,
                f"{mark.name} mark on the fixture {fixture.name} has no effect up to pytest 8 and breaks the collection"
                " of the whole module since pytest 9 (remove it; pytest_asyncio.fixture is what runs an async fixture)",
                safe(remove_decorator(module, mark.node)),
            )
