"""AT703: a client is opened and nobody closes it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import may_be_replaced
from flake8_async_tests.inference.places.parts import is_fixture_itself, is_last_before_failure, is_test_itself
from flake8_async_tests.inference.uses.assignments import assignment_by
from flake8_async_tests.inference.uses.handover import Watch, is_handed_over
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

CLOSERS = {"httpx.AsyncClient": "aclose", "aiohttp.ClientSession": "close"}
# Beside the methods that close it, the ways to what it closes itself.
CLOSING = Watch(
    observing=frozenset(
        {"__aenter__", "__aexit__", "_connector", "_transport", "aclose", "close", "connector", "detach"}
    )
)


@rule("AT703", "client-never-closed", knows=Knows.FILE, calls=CLOSERS)
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*CLOSERS):
        if not (is_test_itself(module, call.scope) or is_fixture_itself(module, call.scope)):
            continue
        if may_be_replaced(module, call.name, call.scope) or is_last_before_failure(module, call.node, call.scope):
            continue
        if _is_left_open(module, call):
            yield Finding(
                call.node,
                f"{call.name}() is never closed: its connections stay open when the test is over"
                f" (enter it with async with, or await its {CLOSERS[call.name]}())",
            )


def _is_left_open(module: Module, call: Call) -> bool:
    assignment = assignment_by(call)
    if assignment is None:
        return False
    # Who deletes the name wants to see what comes of a client that nobody closed.
    deleted = module.fact(_deleted)
    return not any(
        (call.scope, name.id) in deleted or is_handed_over(module, name, call.scope, CLOSING)
        for name in assignment.names
    )


def _deleted(module: Module) -> set[tuple[Scope, str]]:
    return {(scope, name.id) for scope in module.index.scopes for name in scope.stores if isinstance(name.ctx, ast.Del)}
