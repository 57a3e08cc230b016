"""AT709: something of one event loop stands at module level, and tests on several loops use it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.databases import is_server, url_given
from flake8_async_tests.inference.replacing.interception import requests_may_be_intercepted
from flake8_async_tests.inference.tasks.loop_bound import PRIMITIVES
from flake8_async_tests.inference.values.flow import is_rebound_elsewhere
from flake8_async_tests.loops import loop_of_test
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import Runs, runner_of
from flake8_async_tests.source.calls import has_double_star, keyword_value

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test
    from flake8_async_tests.source.walk import Scope

SESSION = "aiohttp.ClientSession"
CLIENT = "httpx.AsyncClient"
ENGINE = "sqlalchemy.ext.asyncio.create_async_engine"

# What can be asked of these without a loop.
LOOPLESS = frozenset(
    {
        "auth",
        "base_url",
        "build_request",
        "clear",
        "cookies",
        "dialect",
        "empty",
        "full",
        "get_nowait",
        "headers",
        "is_closed",
        "is_set",
        "locked",
        "maxsize",
        "params",
        "put_nowait",
        "qsize",
        "release",
        "set",
        "sync_engine",
        "task_done",
        "timeout",
        "url",
    }
)


@rule("AT709", "module-level-async-resource", knows=Knows.CONFIG, calls=(SESSION, CLIENT, ENGINE, *PRIMITIVES))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(SESSION, CLIENT, ENGINE, *PRIMITIVES):
        if call.scope is not module.scope or not _is_bound_to_loop(call):
            continue
        assignment = call.parent
        name = _name_assigned(assignment)
        if not name or module.names.assigned_value(name, module.scope) is not call.node:
            continue
        if is_rebound_elsewhere(module, module.scope, name):
            # A fixture may make it anew for each test.
            continue
        assert isinstance(assignment, (ast.Assign, ast.AnnAssign))
        users = list(_users(module, name, call.name))
        loops = [_loop(user) for user in users]
        if None in loops:
            continue
        if call.name == SESSION:
            if users and (len(set(loops)) > 1 or loops[0] is users[0]):
                yield Finding(
                    assignment,
                    f"{name} is made where no loop runs, which is a RuntimeError, and would be bound to one test's loop"
                    " (make it in a fixture)",
                )
        elif len(set(loops)) > 1:
            yield Finding(
                assignment,
                f"{name} is bound to the event loop that uses it first: {users[0].function.name} and"
                f" {users[-1].function.name} run on different loops (make it in a fixture)",
            )


def _is_bound_to_loop(call: Call) -> bool:
    if call.name == CLIENT:
        # Only a transport to a real server holds connections.
        return keyword_value(call.node, "transport") is None and not has_double_star(call.node)
    if call.name == ENGINE:
        # Without a pool no connection outlives the test that made it.
        url = url_given(call)
        return url is not None and is_server(url) and keyword_value(call.node, "poolclass") is None
    return True


def _name_assigned(node: ast.AST | None) -> str:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else ""


def _users(module: Module, name: str, kind: str) -> Iterator[Test]:
    """The async tests that use a name of the module themselves, for more than what needs no loop, and that run."""
    looplessly = LOOPLESS if kind != SESSION else frozenset()
    for test in module.async_tests:
        scope = test.function.scope
        loads = [load for load in scope.loads if load.id == name]
        if not loads or module.names.binding_scope(name, scope) is not module.scope:
            continue
        attributes = {_attribute(load, scope) for load in loads}
        if attributes <= looplessly:
            continue
        if kind == CLIENT and requests_may_be_intercepted(module, scope, attributes):
            # Where something else answers, no connection is opened.
            continue
        if not test.is_skipped and runner_of(test).runs in (Runs.ASYNCIO, Runs.UNITTEST):
            yield test


def _attribute(node: ast.Name, scope: Scope) -> str:
    """The attribute that is asked of a name, "" when it is used in another way."""
    parent = scope.parents[node]
    return parent.attr if isinstance(parent, ast.Attribute) else ""


def _loop(test: Test) -> Hashable | None:
    """What stands for the loop of a test: itself where it has one of its own, None where it is not known."""
    if runner_of(test).runs is Runs.UNITTEST:
        return test
    scope = loop_of_test(test).scope
    if scope == "function":
        return test
    return (scope, test.klass) if scope == "class" else scope
