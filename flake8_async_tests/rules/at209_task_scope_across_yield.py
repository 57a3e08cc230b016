"""AT209: a task group or a timeout that a fixture keeps open while the test runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places import place_of
from flake8_async_tests.loops import is_run_by_asyncio
from flake8_async_tests.requesters import is_asked_for_with_anyio
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.module import holds_one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module

_FAILS = "fails when it is left"
_NEVER_FIRES = "never fires while the test runs"

_TASK_SCOPES = {
    "anyio.CancelScope": _FAILS,
    "anyio.create_task_group": _FAILS,
    "anyio.fail_after": _FAILS,
    "anyio.move_on_after": _FAILS,
    "asyncio.TaskGroup": "cannot reach the test when one of its tasks fails, and does not see to it until teardown",
    "asyncio.timeout": _NEVER_FIRES,
    "asyncio.timeout_at": _NEVER_FIRES,
    "trio.CancelScope": _FAILS,
    "trio.fail_after": _FAILS,
    "trio.fail_at": _FAILS,
    "trio.move_on_after": _FAILS,
    "trio.move_on_at": _FAILS,
    "trio.open_nursery": _FAILS,
}


@rule("AT209", "task-scope-across-yield", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for fixture in module.fixtures:
        if not fixture.is_async or not is_run_by_asyncio(fixture, module):
            continue
        found = list(_scopes_across_yield(fixture))
        if found and not is_asked_for_with_anyio(fixture):
            for node, name in found:
                yield Finding(
                    node,
                    f"{name} is open across the yield of the fixture {fixture.name}, but pytest-asyncio runs set-up and"
                    f" teardown in two tasks: it {_TASK_SCOPES[name]} (enter and leave it on one side of the yield)",
                )


def _scopes_across_yield(fixture: Fixture) -> Iterator[tuple[ast.With | ast.AsyncWith, str]]:
    scope = fixture.function.scope
    yields = sorted(map(place_of, scope.of(ast.Yield)))
    for node in scope.of(ast.With, ast.AsyncWith) if yields else ():
        assert isinstance(node, (ast.With, ast.AsyncWith))
        if holds_one_of(node.body, yields):
            name = next(filter(None, (_task_scope(fixture, item.context_expr) for item in node.items)), "")
            if name:
                yield node, name


def _task_scope(fixture: Fixture, node: ast.expr) -> str:
    module, scope = fixture.module, fixture.function.scope
    value = module.value_of(node, scope)
    if not isinstance(value, ast.Call):
        return ""
    name = module.qualified(value.func, scope)
    if name in _TASK_SCOPES and not (name.startswith("asyncio.timeout") and _is_never(value)):
        return name
    return ""


def _is_never(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return bool(given) and isinstance(given[0], ast.Constant) and given[0].value is None
