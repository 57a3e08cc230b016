"""AT301: a coroutine is made and dropped, so what it was to do never happens."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_await, unsafe
from flake8_async_tests.inference.awaiting.consumption import is_left_alone_on_purpose
from flake8_async_tests.inference.awaiting.raising import expectation_of_only
from flake8_async_tests.inference.coroutines.known import coroutine_function_called, suspects
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module


@rule("AT301", "never-awaited", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    for call in suspects(module):
        if not call.is_statement or not call.scope.is_function:
            continue
        shown = coroutine_function_called(call)
        # Where an exception is waited for, AT303 speaks of it.
        if not shown or expectation_of_only(module, call.node, call.scope) is not None:
            continue
        if not is_left_alone_on_purpose(module, call.node, call.scope):
            yield Finding(
                call.node,
                f"{shown}() is never awaited: nothing of it runs, and nothing of it can fail ({_remedy(call)})",
                unsafe(*insert_await(module, call.node, call.scope)),
            )


def _remedy(call: Call) -> str:
    if isinstance(call.scope.node, ast.AsyncFunctionDef):
        return "await it"
    return "await it, in an async def"
