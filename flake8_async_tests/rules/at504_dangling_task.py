"""AT504: a task is started and its handle dropped, so its failure is lost."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import loop_calls
from flake8_async_tests.inference.loops.told import tasks_may_be_heard_of
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import is_fixture_itself, is_test_itself
from flake8_async_tests.inference.places.suspension import is_last_to_raise
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.tasks.known import STARTING, name_of_starter, started_tasks
from flake8_async_tests.inference.tasks.stragglers import may_be_found_later
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

_OTHER_STARTERS = ("asyncio.gather", "asyncio.run_coroutine_threadsafe")


@rule("AT504", "dangling-task", knows=Knows.FILE, calls=(*STARTING, *_OTHER_STARTERS, "run_in_executor"))
def check(module: Module) -> Iterator[Finding]:
    for call in _starters(module):
        statement = call.holder if call.is_statement else module.fact(_dropped_within)[call.node]
        assert isinstance(statement, ast.Expr)
        if is_last_to_raise(module, statement, call.scope) or runs_on_trio(module, call.scope):
            continue
        if may_be_found_later(call) or tasks_may_be_heard_of(module, call.scope) or function_may_be_replaced(call):
            continue
        yield Finding(
            statement,
            f"{name_of_starter(call)}() starts something that nobody waits for: its failure is lost"
            " (keep and await what it returns, or use a TaskGroup)",
        )


def _starters(module: Module) -> Iterator[Call]:
    yield from started_tasks(module, _is_dropped)
    yield from filter(_is_dropped, module.calls(*_OTHER_STARTERS))
    yield from loop_calls(module, "run_in_executor", where=_is_dropped)


def _is_dropped(call: Call) -> bool:
    """Whether a test or a fixture does nothing with what a call gives, be it as a part of what it drops."""
    is_dropped = call.is_statement or (call.holder is None and call.node in call.module.fact(_dropped_within))
    return is_dropped and (is_test_itself(call.module, call.scope) or is_fixture_itself(call.module, call.scope))


def _dropped_within(module: Module) -> dict[ast.expr, ast.Expr]:
    """What a statement of its own lists, by comprehension too, or comes to under a condition; with that statement."""
    found: dict[ast.expr, ast.Expr] = {}
    for statement, _ in module.index.uncalled:
        if not isinstance(statement, ast.Expr):
            continue
        value = statement.value
        if isinstance(value, (ast.List, ast.Set, ast.Tuple)):
            found.update(dict.fromkeys(value.elts, statement))
        elif isinstance(value, (ast.ListComp, ast.SetComp)):
            found[value.elt] = statement
        elif isinstance(value, ast.IfExp):
            found |= {value.body: statement, value.orelse: statement}
        elif isinstance(value, ast.BoolOp):
            found[value.values[-1]] = statement
    return found
