"""AT509: a loop swallows its own cancellation and runs on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.tasks.cancelled_before import is_cancelled_before
from flake8_async_tests.inference.tasks.caught_cancellations import catching_handler, keeps_looping
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LOOPS = (ast.While, ast.For, ast.AsyncFor)


@rule("AT509", "swallowed-cancellation", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    if not module.of_kind(ast.While):
        return
    tries: list[tuple[ast.Try | ast.TryStar, Scope]] = [*module.of_kind(ast.Try), *module.of_kind(ast.TryStar)]
    for node, scope in tries:
        if not isinstance(scope.node, ast.AsyncFunctionDef):
            continue
        handler = catching_handler(module, node, scope)
        loop = _loop_around(module, node, scope) if handler is not None else None
        if loop is None or handler is None or not keeps_looping(module, loop, node, handler, scope):
            continue
        if not is_cancelled_before(module, handler, scope) and not runs_on_trio(module, scope):
            yield Finding(
                handler,
                f"this handler swallows the cancellation of {scope.node.name} and its loop runs on: the run hangs when"
                " the event loop ends (raise, return or break)",
            )


def _loop_around(module: Module, node: ast.Try | ast.TryStar, scope: Scope) -> ast.While | None:
    """The `while` in whose body a `try` stands, when no other loop is nearer."""
    for around in module.ancestors(node, scope):
        if isinstance(around, _LOOPS):
            return around if isinstance(around, ast.While) and is_within(node, around.body) else None
    return None
