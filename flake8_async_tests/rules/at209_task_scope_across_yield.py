"""AT209: a task group or a timeout that a fixture keeps open while the test runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import place_of
from flake8_async_tests.loops import is_run_by_asyncio
from flake8_async_tests.requesters import is_asked_for_with_anyio
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of
from flake8_async_tests.source.module import holds_one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.rule import Place
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
            until = next(place for place in yields if place > place_of(node))
            name = next(filter(None, (_task_scope(fixture, item, until) for item in node.items)), "")
            if name:
                yield node, name


def _task_scope(fixture: Fixture, item: ast.withitem, until: Place) -> str:
    """The name of a scope of tasks that an item of a `with` enters, and that is still one when the test runs."""
    module, scope = fixture.module, fixture.function.scope
    entered = item.context_expr
    value = module.value_of(entered.value if isinstance(entered, ast.NamedExpr) else entered, scope)
    if not isinstance(value, ast.Call):
        return ""
    name = module.qualified(value.func, scope)
    if name not in _TASK_SCOPES:
        return ""
    if name.startswith("asyncio.timeout") and (_is_never(value, fixture) or _is_lifted(item, fixture, until)):
        return ""
    return name


def _is_never(call: ast.Call, fixture: Fixture) -> bool:
    """Whether the first thing that a call is given is None."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    value = fixture.module.value_of(given[0], fixture.function.scope) if given else None
    return isinstance(value, ast.Constant) and value.value is None


def _is_lifted(item: ast.withitem, fixture: Fixture, until: Place) -> bool:
    """Whether a limit is taken away before the test runs: `limit.reschedule(None)`."""
    name = item.optional_vars
    return isinstance(name, ast.Name) and any(
        call.scope is fixture.function.scope
        and place_of(name) < place_of(call.node) < until
        and isinstance(receiver := receiver_of(call.node), ast.Name)
        and receiver.id == name.id
        and _is_never(call.node, fixture)
        for call in fixture.module.method_calls("reschedule")
    )
