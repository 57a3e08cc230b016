"""AT504: a task is started and its handle dropped, so its failure is lost."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.backends import runs_on_trio
from flake8_async_tests.inference.loops import loop_calls
from flake8_async_tests.inference.places import is_expected_to_raise, is_fixture_itself, is_test_itself
from flake8_async_tests.inference.replaced import function_may_be_replaced
from flake8_async_tests.inference.stragglers import may_be_found_later
from flake8_async_tests.inference.tasks import name_of_starter, started_tasks
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_OTHER_STARTERS = ("asyncio.gather", "asyncio.run_coroutine_threadsafe")


@rule("AT504", "dangling-task", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in _starters(module):
        statement = call.parent
        if not isinstance(statement, ast.Expr) or not _is_in_test_or_fixture(module, call.scope):
            continue
        if is_expected_to_raise(module, statement, call.scope) or runs_on_trio(module, call.scope):
            continue
        if may_be_found_later(call) or function_may_be_replaced(call):
            continue
        yield Finding(
            statement,
            f"{name_of_starter(call)}() starts something that nobody waits for: its failure is lost"
            " (keep and await what it returns, or use a TaskGroup)",
        )


def _starters(module: Module) -> list[Call]:
    return started_tasks(module) + module.calls(*_OTHER_STARTERS) + loop_calls(module, "run_in_executor")


def _is_in_test_or_fixture(module: Module, scope: Scope) -> bool:
    return is_test_itself(module, scope) or is_fixture_itself(module, scope)
