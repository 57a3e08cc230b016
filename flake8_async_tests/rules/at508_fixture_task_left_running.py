"""AT508: a fixture starts a task before its yield and does not stop it afterwards."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import comes_after_yield, is_fixture_itself, place_of
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.tasks.known import (
    STARTING,
    is_polled_until_done,
    kept_by,
    name_of_starter,
    started_or_gathered,
)
from flake8_async_tests.inference.tasks.stragglers import may_be_found_later
from flake8_async_tests.inference.uses.handover import is_handed_over
from flake8_async_tests.inference.uses.watches import COLLECTED
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT508", "fixture-task-left-running", knows=Knows.FILE, calls=(*STARTING, "asyncio.gather"))
def check(module: Module) -> Iterator[Finding]:
    for call in started_or_gathered(module, _is_in_fixture):
        function = call.function
        assert function is not None
        assignment = kept_by(call)
        if assignment is None or any(name.id.startswith("_") for name in assignment.names):
            continue
        if any(_is_seen_to(module, name, call.scope) for name in assignment.names):
            continue
        if may_be_found_later(call) or _is_stopped_otherwise(call):
            continue
        if not runs_on_trio(module, call.scope) and not function_may_be_replaced(call):
            yield Finding(
                call.node,
                f"{name_of_starter(call)}() starts a task that outlives the fixture {function.name}: it runs on into"
                " teardown and its failure is lost (cancel and await it after the yield)",
            )


def _is_in_fixture(call: Call) -> bool:
    """Whether a call stands before the yield of a fixture."""
    return is_fixture_itself(call.module, call.scope) and any(
        place_of(call.node) < place_of(given) for given in call.scope.of(ast.Yield)
    )


def _is_seen_to(module: Module, name: ast.Name, scope: Scope) -> bool:
    return is_handed_over(module, name, scope, COLLECTED) or is_polled_until_done(module, name, scope)


def _is_stopped_otherwise(call: Call) -> bool:
    """Whether something that the task was made from is used after the yield, or is left by a `with` around it.

    `server.stop()`, `stopping.set()` or `running = False` may be just how the task is told to end.
    """
    given = [*call.node.args, *call.node.keywords]
    nodes = [node for argument in given for node in ast.walk(argument)]
    called = {node.func for node in nodes if isinstance(node, ast.Call)}
    mentioned = [node for node in nodes if isinstance(node, ast.Name)]
    names = {name.id for name in mentioned if name not in called and not _is_of_standard_library(call, name.id)}
    names |= {captured for name in mentioned for captured in _captured_by(call, name)}
    uses = (*call.scope.loads, *call.scope.stores)
    if any(use.id in names and comes_after_yield(call.module, use, call.scope) for use in uses):
        return True
    return any(
        isinstance(around, (ast.With, ast.AsyncWith)) and _binds(around, names)
        for around in call.module.ancestors(call.node, call.scope)
    )


def _captured_by(call: Call, name: ast.Name) -> Iterator[str]:
    """The names of a fixture that a function nested in it reads, where another name is that function's."""
    module = call.module
    function = module.function_by_name(name, call.scope)
    if function is None or function.outer is not call.scope:
        return
    for inner in module.scopes_within(function.scope):
        yield from (load.id for load in inner.loads if module.names.binding_scope(load.id, inner) is call.scope)


def _is_of_standard_library(call: Call, name: str) -> bool:
    """Whether a name is that of an imported module which nothing is told to end by: `asyncio`."""
    owner = call.module.names.binding_scope(name, call.scope)
    if owner is None or not all(isinstance(binding, ast.Import) for binding in owner.bindings[name]):
        return False
    return call.module.names.qualified(ast.Name(name, ast.Load()), call.scope) in sys.stdlib_module_names


def _binds(block: ast.With | ast.AsyncWith, names: set[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in names for item in block.items for node in ast.walk(item))
