"""AT704: an engine is made and nobody disposes of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients import may_be_replaced
from flake8_async_tests.inference.flow import Kind as How
from flake8_async_tests.inference.flow import bindings_at
from flake8_async_tests.inference.handover import Watch, observations
from flake8_async_tests.inference.places import is_expected_to_raise, is_fixture_itself, is_test_itself
from flake8_async_tests.inference.tasks import assignment_by
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

ENGINE = "sqlalchemy.ext.asyncio.create_async_engine"
# SQLAlchemy's own users of an engine: none of them disposes of it.
CONSUMERS = frozenset(
    {
        "sqlalchemy.event.listen",
        "sqlalchemy.event.listens_for",
        "sqlalchemy.ext.asyncio.AsyncConnection",
        "sqlalchemy.ext.asyncio.AsyncSession",
        "sqlalchemy.ext.asyncio.async_sessionmaker",
        "sqlalchemy.inspect",
        "sqlalchemy.orm.sessionmaker",
        "sqlmodel.ext.asyncio.session.AsyncSession",
    }
)
OPENERS = frozenset({"begin", "connect"})
DISPOSAL = Watch(observing=frozenset({"dispose", "sync_engine"}), inert_calls=CONSUMERS)


@rule("AT704", "engine-never-disposed", knows=Knows.FILE, calls=(ENGINE,))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(ENGINE):
        if not (is_test_itself(module, call.scope) or is_fixture_itself(module, call.scope)):
            continue
        if is_expected_to_raise(module, call.node, call.scope) or may_be_replaced(module, ENGINE, call.scope):
            continue
        if _is_left(module, call):
            yield Finding(
                call.node,
                "create_async_engine() makes an engine that is never disposed of: its connections and threads outlive"
                " the test (await engine.dispose() when it is over)",
            )


def _is_left(module: Module, call: Call) -> bool:
    assignment = assignment_by(call)
    if assignment is None:
        return _is_nameless_and_left(module, call)
    if call.scope in module.fact(_disposing_through_users):
        return False
    places = [place for name in assignment.names for place in observations(module, name, call.scope, DISPOSAL)]
    yielded = [place for place in places if _is_yielded(place, call.scope)]
    if any(place not in yielded and not _only_looks(place, call.scope) for place in places):
        return False
    return not yielded or not _is_disposed_of_by_a_user(module, call.scope)


def _disposing_through_users(module: Module) -> set[Scope]:
    """The scopes that dispose of the engine of a connection or a session, whichever that is: `connection.engine`."""
    return {
        call.scope
        for call in module.method_calls("dispose")
        if isinstance(receiver := receiver_of(call.node), ast.Attribute) and receiver.attr in ("bind", "engine")
    }


def _is_nameless_and_left(module: Module, call: Call) -> bool:
    """Whether an engine that no name holds is consumed or yielded, with nothing in sight that gets at it again."""
    if any(other.scope is call.scope for other in module.method_calls("dispose")):
        return False
    parent = call.parent
    if isinstance(parent, ast.keyword):
        parent = call.scope.parents[parent]
    if isinstance(parent, ast.Call):
        return module.qualified(parent.func, call.scope) in CONSUMERS
    if isinstance(parent, ast.Yield):
        return not _is_disposed_of_by_a_user(module, call.scope)
    return isinstance(parent, ast.Attribute) and parent.attr in OPENERS


def _is_yielded(place: ast.AST, scope: Scope) -> bool:
    """Whether an engine is yielded there, by itself or with others."""
    parent = scope.parents.get(place)
    while isinstance(parent, (ast.Tuple, ast.List, ast.Dict, ast.IfExp)):
        parent = scope.parents[parent]
    return isinstance(parent, ast.Yield)


def _only_looks(place: ast.AST, scope: Scope) -> bool:
    """`engine.sync_engine` is asked for by listeners, too; only its own `dispose` counts."""
    parent = scope.parents.get(place)
    if not isinstance(parent, ast.Attribute) or parent.attr != "sync_engine":
        return False
    around = scope.parents[parent]
    return not (isinstance(around, ast.Attribute) and around.attr == "dispose")


def _is_disposed_of_by_a_user(module: Module, scope: Scope) -> bool:
    """Whether a fixture or test in sight that asks for the engine disposes of it."""
    function = module.function_at(scope)
    fixture = module.fixture_of(function) if function is not None else None
    return fixture is not None and any(
        _is_parameter_for(module, fixture, receiver_of(call.node), call.scope)
        for call in module.method_calls("dispose")
    )


def _is_parameter_for(module: Module, fixture: Fixture, node: ast.expr | None, scope: Scope) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "sync_engine":
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    return any(
        binding.kind is How.PARAMETER and isinstance(binding.node, ast.arg) and binding.node.arg == fixture.name
        for binding in bindings_at(module, node, scope)
    )
