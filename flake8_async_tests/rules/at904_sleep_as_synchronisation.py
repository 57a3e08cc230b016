"""AT904: a test that hopes something has happened after a while."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar

from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import is_test_itself
from flake8_async_tests.inference.places.suspension import block_of, next_statement, previous_statement, statement_of
from flake8_async_tests.inference.time.clocks import reads_clock
from flake8_async_tests.inference.time.sleeps import awaited_sleeps, duration_of, may_end_early
from flake8_async_tests.inference.values.instances import class_constant
from flake8_async_tests.inference.values.numbers import number_of
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_Node = TypeVar("_Node", bound=ast.AST)

_ORDER = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@rule("AT904", "sleep-as-synchronisation", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in awaited_sleeps(module):
        if not is_test_itself(module, call.scope) or not _is_statement(call):
            continue
        seconds = _seconds(call)
        if seconds is None or seconds <= 0 or may_end_early(call, seconds):
            continue
        if _is_limited_polling(call) or _is_timed(call):
            continue
        if call.name != "asyncio.sleep" or not runs_on_trio(module, call.scope):
            yield Finding(
                call.node,
                f"{call.name}({seconds:g}) waits and hopes that something has happened by then: too short on a busy"
                " machine, too long on any other (wait for an Event, or for the task itself)",
            )


def _is_statement(call: Call) -> bool:
    await_ = call.parent
    return await_ is not None and isinstance(call.scope.parents.get(await_), ast.Expr)


def _seconds(call: Call) -> float | None:
    duration = duration_of(call)
    if isinstance(duration, ast.Attribute):
        constant = class_constant(call.module, duration, call.scope)
        return number_of(constant[0]) if constant is not None else None
    return number_of(call.module.value_of(duration, call.scope)) if duration is not None else None


def _is_timed(call: Call) -> bool:
    """Whether a clock is read right before the sleep and right after it: time has to pass, and nothing else."""
    statement = statement_of(call.node, call.scope)
    before, after = previous_statement(statement, call.scope), next_statement(statement, call.scope)
    loop = call.scope.parents[statement]
    if isinstance(loop, (ast.For, ast.AsyncFor)) and block_of(statement, call.scope) is loop.body:
        # After what comes last it goes on with what comes first.
        before, after = before or loop.body[-1], after or loop.body[0]
    return all(each is not None and reads_clock(call.module, each, call.scope) for each in (before, after))


def _is_limited_polling(call: Call) -> bool:
    """Whether the sleep is the pause of a loop that looks again and again, and gives up in the end."""
    around = (node for node in call.module.ancestors(call.node, call.scope) if isinstance(node, _LOOPS))
    loop = next(around, None)
    if isinstance(loop, ast.While):
        # An assertion ends it as well as a condition does.
        tests = [loop.test]
        tests += (node.test for node in _within(loop, call.scope, ast.If))
        tests += (node.test for node in _within(loop, call.scope, ast.Assert))
        return any(map(_compares, tests)) or _counts(loop, tests, call.scope)
    return loop is not None and any(
        _leaves(node, loop, call) for node in _within(loop, call.scope, ast.Break, ast.Return)
    )


def _leaves(node: ast.AST, loop: ast.For | ast.AsyncFor, call: Call) -> bool:
    """Whether a `break` is that of a loop and not of one in it. A `return` leaves them all."""
    if isinstance(node, ast.Return):
        return True
    around = call.module.ancestors(node, call.scope)
    return next(each for each in around if isinstance(each, _LOOPS)) is loop


def _within(loop: ast.For | ast.AsyncFor | ast.While, scope: Scope, *kinds: type[_Node]) -> Iterator[_Node]:
    return (node for node in scope.of(*kinds) if isinstance(node, kinds) and is_within(node, loop.body))


def _counts(loop: ast.While, tests: list[ast.expr], scope: Scope) -> bool:
    """Whether a condition reads what the loop counts up or down."""
    counted = {node.target.id for node in _within(loop, scope, ast.AugAssign) if isinstance(node.target, ast.Name)}
    return any(isinstance(node, ast.Name) and node.id in counted for test in tests for node in ast.walk(test))


def _compares(test: ast.expr) -> bool:
    """Whether a condition asks if something is more than something else: a count, or the time."""
    return any(isinstance(operator, _ORDER) for operator in ast.walk(test))
