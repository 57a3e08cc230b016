"""AT108: a mark that runs async tests, put on a fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_decorator, safe
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.marks import RUNNING_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.marks import Mark
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
                f" of the whole module since pytest 9 ({_remedy(fixture, mark)})",
                safe(remove_decorator(module, mark.node)),
            )


def _remedy(fixture: Fixture, mark: Mark) -> str:
    """What to do, with what the mark was hoped to do where something else does it."""
    if not fixture.is_async or fixture.library == "pytest_asyncio":
        return "remove it"
    if mark.name == "asyncio":
        return "remove it; pytest_asyncio.fixture is what runs an async fixture"
    return f"remove it; {mark.name} runs the async fixtures of the tests that it runs"
