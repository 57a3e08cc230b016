"""AT604: a test swallows the timeout, or the failed assertion, that should fail it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.assertions import (
    always_fails,
    asserted_by,
    assertions_after,
    asserts,
    holds_assertion,
)
from flake8_async_tests.inference.places.exceptions import exceptions_caught, exceptions_named
from flake8_async_tests.inference.places.parts import (
    clears_up,
    end_of,
    is_async_test_itself,
    names_in,
    nodes_of,
    place_of,
)
from flake8_async_tests.inference.tasks.cancelled_before import is_cancelled_before
from flake8_async_tests.inference.time.timeouts import awaits_under_timeout
from flake8_async_tests.inference.uses.quiet import does_nothing
from flake8_async_tests.record import record
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_ANYTHING = frozenset({"builtins.Exception", "builtins.BaseException"})


@record
class _Failure:
    """A failure that a test can swallow: what a message says, which handlers the rule is about, and which catch it."""

    message: str
    named: frozenset[str]
    caught_by: frozenset[str]
    happens_in: Callable[[Module, Sequence[ast.stmt], Scope], bool]


def _may_time_out(module: Module, body: Sequence[ast.stmt], scope: Scope) -> bool:
    """Whether it awaits under a timeout that is not expected: one that is has a failure behind it."""
    last = body[-1]
    while isinstance(last, (ast.With, ast.AsyncWith)):
        # Mostly the timeout itself.
        last = last.body[-1]
    return awaits_under_timeout(module, body, scope) and not always_fails(module, last, scope)


_FAILURES = (
    _Failure(
        "the timeout is swallowed: the test passes when the operation hangs (let it fail, or use pytest.raises)",
        frozenset({"builtins.TimeoutError"}),
        frozenset({"builtins.TimeoutError", "builtins.OSError"}) | _ANYTHING,
        _may_time_out,
    ),
    _Failure(
        "the failed assertion is swallowed with everything else: the test passes (catch what is expected, around it"
        " alone)",
        _ANYTHING,
        _ANYTHING | {"builtins.AssertionError"},
        holds_assertion,
    ),
)


@rule("AT604", "swallowed-timeout", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    tries: list[tuple[ast.Try | ast.TryStar, Scope]] = [*module.of_kind(ast.Try), *module.of_kind(ast.TryStar)]
    for node, scope in tries:
        if is_async_test_itself(module, scope):
            yield from _in_try(module, node, scope)
    for call in module.calls("contextlib.suppress"):
        if is_async_test_itself(module, call.scope):
            yield from _in_suppress(call)


def _in_try(module: Module, node: ast.Try | ast.TryStar, scope: Scope) -> Iterator[Finding]:
    told: set[ast.AST] = set()
    for failure in _FAILURES:
        handler = _first_handler(module, node, failure, scope)
        if handler is None or handler in told or not does_nothing(module, handler.body, scope):
            continue
        if failure.happens_in(module, node.body, scope) and not _is_seen_to(module, node, handler.body, scope):
            told.add(handler)
            yield Finding(handler, failure.message)


def _first_handler(
    module: Module, node: ast.Try | ast.TryStar, failure: _Failure, scope: Scope
) -> ast.ExceptHandler | None:
    """The handler that gets a failure, if it is one that the rule is about."""
    for handler in node.handlers:
        caught = exceptions_caught(module, handler, scope)
        if caught & failure.caught_by:
            return handler if caught & failure.named else None
    return None


def _in_suppress(call: Call) -> Iterator[Finding]:
    module, scope = call.module, call.scope
    block = scope.parents.get(call.parent) if isinstance(call.parent, ast.withitem) else None
    if not isinstance(block, ast.With):
        return
    caught = {name for argument in call.node.args for name in exceptions_named(module, argument, scope)}
    for failure in _FAILURES:
        if caught & failure.named and failure.happens_in(module, block.body, scope):
            if not _is_seen_to(module, block, (), scope):
                yield Finding(call.node, failure.message)
            return


def _is_seen_to(
    module: Module, node: ast.Try | ast.TryStar | ast.With, caught: Sequence[ast.stmt], scope: Scope
) -> bool:
    """Whether the rest of the test makes up for it: it clears up, drains, or asserts on what came of it."""
    if clears_up(module, node, scope) or any(is_cancelled_before(module, each, scope) for each in _waits(node.body)):
        return True
    if any(isinstance(around, _LOOPS) for around in module.ancestors(node, scope)):
        return True
    if not isinstance(node, ast.With) and any(asserts(module, statement, scope) for statement in node.orelse):
        return True
    # After a return in the handler the rest is for the case that nothing went wrong.
    goes_on = not any(isinstance(statement, ast.Return) for statement in caught)
    return any(
        always_fails(module, after, scope) or (goes_on and _is_about_something_before(module, after, node, scope))
        for after in assertions_after(module, node, scope)
    )


def _waits(body: list[ast.stmt]) -> Iterator[ast.AST]:
    return (node for node in nodes_of(body) if isinstance(node, (ast.Await, ast.AsyncWith, ast.AsyncFor)))


def _is_about_something_before(module: Module, assertion: ast.stmt, node: ast.stmt, scope: Scope) -> bool:
    """Whether an assertion is on a name that was bound before, or in, another statement, or on what was made of it."""
    todo = [name for part in asserted_by(module, assertion, scope) for name in names_in(part)]
    seen = set(todo)
    while todo:
        for binding in scope.bindings.get(todo.pop(), ()):
            if place_of(binding) < end_of(node):
                return True
            further = _names_in_value(binding, scope) - seen
            seen |= further
            todo += further
    return False


def _names_in_value(binding: ast.AST, scope: Scope) -> set[str]:
    """The names in what is assigned, entered or gone over where a name is bound."""
    at: ast.AST | None = scope.parents.get(binding)
    while isinstance(at, (ast.Tuple, ast.List, ast.Starred)):
        at = scope.parents.get(at)
    if isinstance(at, (ast.Assign, ast.AnnAssign)) and at.value is not None:
        return names_in(at.value)
    if isinstance(at, ast.For):
        return names_in(at.iter)
    return names_in(at.context_expr) if isinstance(at, ast.withitem) else set()
