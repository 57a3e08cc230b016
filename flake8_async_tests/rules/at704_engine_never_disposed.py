"""AT704: an engine is made and nobody disposes of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import Kind, kind_of, may_be_replaced
from flake8_async_tests.inference.places.parts import is_expected_to_raise, is_fixture_itself, is_test_itself
from flake8_async_tests.inference.uses.assignments import assignment_of
from flake8_async_tests.inference.uses.handover import Watch, observations, reads
from flake8_async_tests.inference.values.flow import Kind as How
from flake8_async_tests.inference.values.flow import bindings_at
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
        if _is_left(module, call.node, call.scope):
            yield Finding(
                call.node,
                "create_async_engine() makes an engine that is never disposed of: its connections and threads outlive"
                " the test (await engine.dispose() when it is over)",
            )


def _is_left(module: Module, engine: ast.expr, scope: Scope) -> bool:
    """Whether nobody disposes of an engine, nor of one that was made of it and has the same pool."""
    if scope in module.fact(_disposing_through_users):
        return False
    todo = [engine]
    seen: set[ast.expr] = set()
    while todo:
        node = _with_options(todo.pop(), scope)
        if node in seen:
            continue
        seen.add(node)
        assignment = assignment_of(node, scope)
        names = assignment.names if assignment is not None else ()
        if not (_are_left(module, names, scope) if names else _is_nameless_and_left(module, node, scope)):
            return False
        todo += [
            load for name in names for load in reads(module, name, scope) if _with_options(load, scope) is not load
        ]
    return True


def _with_options(engine: ast.expr, scope: Scope) -> ast.expr:
    """`engine.execution_options(..)`, where that is made of an engine at once: another engine with the same pool."""
    parents = scope.parents
    while isinstance(attribute := parents[engine], ast.Attribute) and attribute.attr == "execution_options":
        call = parents[attribute]
        if not isinstance(call, ast.Call) or call.func is not attribute:
            break
        engine = call
    return engine


def _are_left(module: Module, names: Iterable[ast.Name], scope: Scope) -> bool:
    places = [place for name in names for place in observations(module, name, scope, DISPOSAL)]
    yielded = [place for place in places if _is_yielded(place, scope)]
    if any(place not in yielded and not _only_looks(module, place, scope) for place in places):
        return False
    return not yielded or not _is_disposed_of_by_a_user(module, scope)


def _disposing_through_users(module: Module) -> set[Scope]:
    """The scopes that dispose of the engine of a connection or a session, whichever that is: `connection.engine`."""
    return {
        call.scope
        for call in module.method_calls("dispose")
        if isinstance(receiver := receiver_of(call.node), ast.Attribute) and receiver.attr in ("bind", "engine")
    }


def _is_nameless_and_left(module: Module, engine: ast.expr, scope: Scope) -> bool:
    """Whether an engine that no name holds is consumed or yielded, with nothing in sight that gets at it again."""
    if any(other.scope is scope for other in module.method_calls("dispose")):
        return False
    parent = scope.parents[engine]
    if isinstance(parent, ast.keyword):
        parent = scope.parents[parent]
    if isinstance(parent, ast.Call):
        return module.qualified(parent.func, scope) in CONSUMERS
    if isinstance(parent, ast.Yield):
        return not _is_disposed_of_by_a_user(module, scope)
    return isinstance(parent, ast.Attribute) and parent.attr in OPENERS


def _is_yielded(place: ast.AST, scope: Scope) -> bool:
    """Whether an engine is yielded there, by itself or with others."""
    parent = scope.parents.get(place)
    while isinstance(parent, (ast.Tuple, ast.List, ast.Dict, ast.IfExp)):
        parent = scope.parents[parent]
    return isinstance(parent, ast.Yield)


def _only_looks(module: Module, place: ast.AST, scope: Scope) -> bool:
    """Whether nobody takes charge of an engine at a place that uses it."""
    parent = scope.parents.get(place)
    if isinstance(parent, ast.keyword):
        return parent.arg == "bind" and _configures(module, scope.parents[parent], scope)
    # `engine.sync_engine` is asked for by listeners, too; only its own `dispose` counts.
    if not isinstance(parent, ast.Attribute) or parent.attr != "sync_engine":
        return False
    around = scope.parents[parent]
    return not (isinstance(around, ast.Attribute) and around.attr == "dispose")


def _configures(module: Module, call: ast.AST, scope: Scope) -> bool:
    """Whether a call is `configure(..)` of a sessionmaker."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "configure":
        return False
    return kind_of(module, call.func.value, scope) is Kind.ASYNC_SESSIONMAKER


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
