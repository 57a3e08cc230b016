"""What an async fixture holds, or keeps running, that belongs to one event loop: as far as its own body shows.

Whether that hurts depends on the thing. A future is its loop's from the moment it is made. A lock is so from
the first time that somebody has to wait for it, which hurts only where tests on several loops share it.
"""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.inference.loops.known import is_method_of_loop
from flake8_async_tests.inference.places.before_test import BeforeTest
from flake8_async_tests.inference.tasks.kept_running import KeptRunning
from flake8_async_tests.inference.values.elsewhere import is_class_elsewhere
from flake8_async_tests.inference.values.flow import Binding, Kind, bindings_at
from flake8_async_tests.record import record
from flake8_async_tests.source.calls import has_double_star, keyword_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module


class Belongs(Enum):
    """When a thing comes to belong to a loop, and with it when it hurts on another one."""

    AT_ONCE = "when it is made"
    AT_FIRST_WAIT = "when somebody first waits for it"
    BY_CONNECTIONS = "when a connection is made"


class ClosingFails(Enum):
    """Where a fixture cannot close the connections that a test has made."""

    NOWHERE = "nowhere that is known"
    ON_WIDER_LOOP = "on a loop that outlives the test's"
    ON_NARROWER_LOOP = "on a loop that the test's outlives"


@record
class Thing:
    """One thing that belongs to a loop, as a message says it: `holds an aiohttp session`."""

    what: str
    belongs: Belongs = Belongs.AT_ONCE
    closing_fails: ClosingFails = ClosingFails.NOWHERE
    is_mocked_by: tuple[str, ...] = ()
    """Fixtures and libraries under which it makes no connection at all."""


@record
class Holdings:
    """What a fixture hands out or keeps running, and the fixtures whose values it hands on, or works with."""

    held: tuple[Thing, ...] = ()
    running: tuple[Thing, ...] = ()
    hands_on: frozenset[str] = frozenset()
    works_with: frozenset[str] = frozenset()
    """Those of which it awaits something, and always does, on its own loop."""


NOTHING = Holdings()

PRIMITIVES = tuple(
    f"asyncio.{name}"
    for name in (
        "Barrier",
        "BoundedSemaphore",
        "Condition",
        "Event",
        "LifoQueue",
        "Lock",
        "PriorityQueue",
        "Queue",
        "Semaphore",
    )
)
"""What asyncio binds to a loop when somebody first has to wait for it."""

_HTTPX_MOCKS = ("httpx_mock", "pytest_httpx", "respx", "respx_mock")
_AIOHTTP_MOCKS = ("aioresponses", "mock_aioresponse")

_AIOHTTP_SESSION = Thing("holds an aiohttp session", is_mocked_by=_AIOHTTP_MOCKS)
_HTTPX_CLIENT = Thing(
    "holds an httpx client", Belongs.BY_CONNECTIONS, ClosingFails.ON_WIDER_LOOP, is_mocked_by=_HTTPX_MOCKS
)
_REDIS = Thing("holds a redis client", Belongs.BY_CONNECTIONS, ClosingFails.ON_NARROWER_LOOP)
_ASYNCPG_CONNECTION = Thing("holds an asyncpg connection")
_ASYNCPG_POOL = Thing("holds an asyncpg pool")
_TASK = Thing("keeps a task running")
_SERVER = Thing("keeps a server running")

# Of its loop before it is awaited or entered.
_POOLS = {"asyncpg.create_pool": _ASYNCPG_POOL, "asyncpg.pool.create_pool": _ASYNCPG_POOL}
_MADE_BY = {
    "aiohttp.ClientSession": _AIOHTTP_SESSION,
    "aiohttp.test_utils.TestClient": Thing("holds an aiohttp test client"),
    "aioredis.Redis": _REDIS,
    "aioredis.Redis.from_url": _REDIS,
    "aioredis.from_url": _REDIS,
    "asyncio.Future": Thing("holds an asyncio.Future"),
    **_POOLS,
    "httpx.AsyncClient": _HTTPX_CLIENT,
    "redis.asyncio.Redis": _REDIS,
    "redis.asyncio.Redis.from_url": _REDIS,
    "redis.asyncio.StrictRedis": _REDIS,
    "redis.asyncio.client.Redis": _REDIS,
    "redis.asyncio.client.Redis.from_url": _REDIS,
    "redis.asyncio.from_url": _REDIS,
    **{name: Thing(f"holds an {name}", Belongs.AT_FIRST_WAIT) for name in PRIMITIVES},
}
_MADE_BY_AWAITING = {
    **_POOLS,
    "asyncpg.connect": _ASYNCPG_CONNECTION,
    "asyncpg.connection.connect": _ASYNCPG_CONNECTION,
}

# What is given to these is in what comes out of them.
_WRAPPERS = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.set",
        "builtins.tuple",
        "contextlib.aclosing",
        "functools.partial",
        "types.SimpleNamespace",
    }
)
_ENTERING = frozenset({"enter_async_context"})
_CLOSING = frozenset({"aclose", "close"})


def holdings_of(fixture: Fixture) -> Holdings:
    """What a fixture has to do with loops, worked out once."""
    known = fixture.module.fact(_holdings_by_fixture)
    if fixture not in known:
        known[fixture] = _Reader(fixture).read()
    return known[fixture]


def _holdings_by_fixture(_: Module) -> dict[Fixture, Holdings]:
    """What is known so far of the fixtures that were asked for."""
    return {}


class _Reader:
    """Reads the body of one fixture."""

    def __init__(self, fixture: Fixture) -> None:
        self._fixture = fixture
        self._scope = fixture.function.scope

    def read(self) -> Holdings:
        running = tuple(self._running())
        handed = _Handed(self._fixture)
        values = [handed.read(value) for value in self._values()]
        works_with = frozenset(self._works_with())
        if not values:
            return Holdings(running=running, works_with=works_with)
        # Where there are several values, only what is in all of them is certain.
        held = [thing for thing in values[0].things if all(thing in other.things for other in values[1:])]
        hands_on = frozenset.intersection(*(value.parameters for value in values))
        return Holdings(tuple(held), running, hands_on & frozenset(self._fixture.requests), works_with)

    def _running(self) -> Iterator[Thing]:
        if self._fixture.is_async:
            kept = KeptRunning(self._fixture)
            if kept.has_task():
                yield _TASK
            if kept.has_server():
                yield _SERVER

    def _works_with(self) -> Iterator[str]:
        before_test = BeforeTest(self._fixture)
        for node in self._scope.of(ast.Await, ast.AsyncFor, ast.AsyncWith) if self._fixture.requests else ():
            if before_test.is_conditional(node):
                continue
            for name in map(_root_of, _awaited_in(node)):
                if name in self._fixture.requests and len(self._scope.bindings[name]) == 1:
                    yield name

    def _values(self) -> Iterator[ast.expr]:
        for node in self._scope.of(ast.Yield) or self._scope.of(ast.Return):
            assert isinstance(node, (ast.Yield, ast.Return))
            if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
                yield node.value


def _awaited_in(node: ast.AST) -> list[ast.expr]:
    """What an `await`, an `async for` or an `async with` awaits something of."""
    if isinstance(node, ast.AsyncWith):
        return [item.context_expr for item in node.items]
    assert isinstance(node, (ast.AsyncFor, ast.Await))
    return [node.iter if isinstance(node, ast.AsyncFor) else node.value]


def _root_of(node: ast.expr) -> str:
    """`pool` in `pool.acquire().connection`."""
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


@record
class _Content:
    """What is in one value."""

    things: tuple[Thing, ...]
    parameters: frozenset[str]


class _Handed:
    """Follows the values that a fixture gives back to what is in them."""

    def __init__(self, fixture: Fixture) -> None:
        self._module = fixture.module
        self._scope = fixture.function.scope
        self._things: list[Thing] = []
        self._parameters: set[str] = set()
        self._todo: list[tuple[ast.expr, bool]] = []
        self._names: set[str] = set()
        self._given_to_attributes = self._assignments_to_attributes()
        self._before_test = BeforeTest(fixture)

    def read(self, value: ast.expr) -> _Content:
        self._things, self._parameters, self._names = [], set(), set()
        self._todo.append((value, False))
        # It ends: an expression is looked at once, a name too.
        while self._todo:
            self._step(*self._todo.pop())
        return _Content(tuple(self._things), frozenset(self._parameters))

    def _assignments_to_attributes(self) -> dict[str, list[ast.expr]]:
        """What is given to attributes of each name: `api.session = session`."""
        found: dict[str, list[ast.expr]] = {}
        for assignment in self._scope.of(ast.Assign):
            assert isinstance(assignment, ast.Assign)
            for target in assignment.targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    found.setdefault(target.value.id, []).append(assignment.value)
        return found

    def _step(self, node: ast.expr, entered: bool) -> None:
        """One expression; `entered` says that the value is what `async with` makes of it."""
        if isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Await):
            self._awaited(node.value)
        elif isinstance(node, ast.Call):
            self._call(node, entered)
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            self._push(node.elts)
        elif isinstance(node, ast.Dict):
            self._push(node.values)
        elif isinstance(node, (ast.Starred, ast.NamedExpr)):
            self._push([node.value])

    def _push(self, nodes: Iterable[ast.expr], *, entered: bool = False) -> None:
        self._todo.extend((node, entered) for node in nodes)

    def _name(self, node: ast.Name) -> None:
        bindings = bindings_at(self._module, node, self._scope)
        if len(bindings) != 1 or node.id in self._names:
            # Which of several it is, nobody knows.
            return
        self._names.add(node.id)
        self._bound(node, bindings[0])
        self._push(self._given_to_attributes.get(node.id, ()))

    def _bound(self, node: ast.Name, binding: Binding) -> None:
        if binding.scope is not self._scope:
            return
        if binding.kind is Kind.PARAMETER:
            self._parameters.add(node.id)
        elif binding.value is not None and binding.kind in (Kind.ASSIGNED, Kind.ENTERED_ASYNC, Kind.ENTERED):
            self._push([binding.value], entered=binding.kind is not Kind.ASSIGNED)

    def _awaited(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Call):
            return
        if isinstance(node.func, ast.Attribute) and node.func.attr in _ENTERING and len(node.args) == 1:
            self._push(node.args, entered=True)
            return
        made = _MADE_BY_AWAITING.get(self._module.qualified(node.func, self._scope))
        if made is not None:
            self._add(made, node)

    def _call(self, node: ast.Call, entered: bool) -> None:
        thing = self._made(node, entered)
        if thing is not None:
            self._add(thing, node)
        elif self._wraps(node):
            self._push(node.args)
            self._push(keyword.value for keyword in node.keywords)

    def _made(self, node: ast.Call, entered: bool) -> Thing | None:
        name = self._module.qualified(node.func, self._scope)
        thing = _MADE_BY.get(name)
        if thing is None:
            return _MADE_BY["asyncio.Future"] if self._makes_future(node.func) else None
        if thing.belongs is not Belongs.BY_CONNECTIONS:
            return thing
        if thing is _HTTPX_CLIENT and not self._connects(node):
            return None
        return (
            thing
            if entered or any(self._closings())
            else Thing(thing.what, thing.belongs, is_mocked_by=thing.is_mocked_by)
        )

    def _makes_future(self, function: ast.expr) -> bool:
        return is_method_of_loop(self._module, function, self._scope, "create_future")

    def _add(self, thing: Thing, made_by: ast.Call) -> None:
        """Take a thing down, unless the fixture has closed it when the test runs."""
        parent = self._scope.parents[made_by]
        place = self._scope.parents[parent] if isinstance(parent, ast.Await) else parent
        if not self._leaves(place) and not any(map(self._before_test.certainly_holds, self._closings())):
            self._things.append(thing)

    def _leaves(self, node: ast.AST) -> bool:
        """Whether something is entered here, and left before the test runs."""
        block = self._scope.parents[node] if isinstance(node, ast.withitem) else None
        return isinstance(block, (ast.With, ast.AsyncWith)) and self._before_test.ends(block)

    def _closings(self) -> Iterator[ast.Name]:
        """Where one of the names on the way to the thing is closed in the fixture."""
        for load in self._scope.loads:
            parent = self._scope.parents.get(load)
            if load.id in self._names and isinstance(parent, ast.Attribute) and parent.attr in _CLOSING:
                yield load

    def _connects(self, node: ast.Call) -> bool:
        """Whether an httpx client certainly talks over real connections."""
        if has_double_star(node) or keyword_value(node, "app") or keyword_value(node, "mounts"):
            return False
        transport = keyword_value(node, "transport")
        if transport is None:
            return True
        value = self._module.value_of(transport, self._scope)
        return (
            isinstance(value, ast.Call)
            and self._module.qualified(value.func, self._scope) == "httpx.AsyncHTTPTransport"
        )

    def _wraps(self, node: ast.Call) -> bool:
        """Whether what is called is a class of the project, or else known to keep what it is given."""
        name = self._module.qualified(node.func, self._scope)
        if name in _WRAPPERS or isinstance(self._module.names.definition(node.func, self._scope), ast.ClassDef):
            return True
        return is_class_elsewhere(self._module, name)
