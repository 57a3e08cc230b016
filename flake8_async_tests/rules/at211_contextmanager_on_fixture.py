"""AT211: a fixture that is turned into an async context manager as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import remove_decorator, safe
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

CONTEXT_MANAGER = "contextlib.asynccontextmanager"

_UNDER = "gets the tests a context manager instead of the value, and nothing is set up"
_OVER = "hides the fixture from pytest since 8.4: no test finds it"


@rule("AT211", "contextmanager-on-fixture", knows=Knows.FILE, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    for fixture in module.fixtures:
        is_over = True
        for decorator in fixture.function.decorators:
            if decorator.fixture_library:
                is_over = False
            elif decorator.name == CONTEXT_MANAGER:
                what = _OVER if is_over else _UNDER
                yield Finding(
                    decorator.node,
                    f"asynccontextmanager on the fixture {fixture.name} {what} (remove it: a fixture yields as it is)",
                    safe(remove_decorator(module, decorator.node)),
                )
