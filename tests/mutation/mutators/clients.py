"""AT7: clients, databases and what tests share."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE
from tests.mutation.mutators import sites
from tests.mutation.mutators.registry import mutator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Reading, Test

HTTPX = "httpx.AsyncClient"
AIOHTTP = "aiohttp.ClientSession"
ENGINE = "sqlalchemy.ext.asyncio.create_async_engine"
NEW_ENGINE = "sqlalchemy.ext.asyncio:create_async_engine"

REQUESTS = ("get", "post", "put", "patch", "delete")


def _entered_clients(reading: Reading) -> Iterator[tuple[ast.AsyncWith, ast.Call, str]]:
    """`async with httpx.AsyncClient(..) as client:` and the same of aiohttp, in a test or a fixture."""
    for block in reading.source.of(ast.AsyncWith):
        call, variable = block.items[0].context_expr, block.items[0].optional_vars
        function = sites.owner(reading, block)
        if len(block.items) != 1 or not isinstance(call, ast.Call) or not isinstance(variable, ast.Name):
            continue
        if (
            function is not None and (reading.is_test(function) or reading.is_fixture(function))
        ) and reading.source.dotted(call.func) in (HTTPX, AIOHTTP):
            yield block, call, variable.id


def _httpx_clients(reading: Reading) -> Iterator[tuple[ast.AsyncWith, ast.Call, str]]:
    for block, call, name in _entered_clients(reading):
        if reading.source.dotted(call.func) == HTTPX:
            yield block, call, name


def _keyword(call: ast.Call, name: str) -> ast.keyword | None:
    return next((each for each in call.keywords if each.arg == name), None)


# -- AT701 to AT703 ----------------------------------------------------------------------------------------------------


def _transports(reading: Reading) -> Iterator[tuple[ast.keyword, ast.keyword]]:
    """`transport=httpx.ASGITransport(app=app)`: the keyword, and the one in it."""
    for call in sites.calls_of(HTTPX)(reading):
        transport = _keyword(call, "transport")
        if transport is None or not isinstance(transport.value, ast.Call):
            continue
        app = _keyword(transport.value, "app")
        if reading.source.dotted(transport.value.func) == "httpx.ASGITransport" and app is not None:
            yield transport, app


@mutator("AT701", _transports)
def pass_the_app(draft: Draft, site: tuple[ast.keyword, ast.keyword]) -> None:
    """Write `app=app` for `transport=httpx.ASGITransport(app=app)`."""
    transport, app = site
    draft.replace(transport, f"{HERE}app={draft.source.text_of(app.value)}")


@mutator("AT701", sites.running_async_tests)
def plant_a_client_with_an_app(draft: Draft, test: Test) -> None:
    """Put `httpx.AsyncClient(app=..)` into an async test."""
    client = draft.name(HTTPX)
    draft.first_in(
        test.node, f'async with {client}({HERE}app=print, base_url="http://test") as planted:', "    assert planted"
    )


@mutator("AT702", _httpx_clients)
def open_a_websocket(draft: Draft, site: tuple[ast.AsyncWith, ast.Call, str]) -> None:
    """Open a websocket on an `httpx.AsyncClient`."""
    block, _, name = site
    draft.before(block.body[0], f'await {HERE}{name}.websocket_connect("/ws")')


@mutator("AT702", sites.running_async_tests)
def plant_a_websocket(draft: Draft, test: Test) -> None:
    """Put a websocket on an `httpx.AsyncClient` into an async test."""
    client = draft.name(HTTPX)
    name = draft.new_name("planted_client")
    draft.first_in(
        test.node,
        f'async with {client}(base_url="http://test") as {name}:',
        f'    async with {HERE}{name}.websocket_connect("/ws"):',
        "        pass",
    )


@mutator("AT703", _entered_clients)
def never_close_a_client(draft: Draft, site: tuple[ast.AsyncWith, ast.Call, str]) -> None:
    """Write `client = httpx.AsyncClient(..)` for its `async with`."""
    block, call, name = site
    draft.unwrap(block, f"{name} = {HERE}{draft.source.text_of(call)}")
    function = sites.owner(draft.reading, block)
    assert function is not None
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    if sum(not isinstance(node.ctx, ast.Load) for node in names) > 1:
        draft.doubt_because("the name is bound again")
    for node in names:
        parent = draft.source.parents[node]
        if isinstance(node.ctx, ast.Load) and not isinstance(parent, ast.Attribute):
            draft.doubt_because("the client is handed over")
        if isinstance(parent, ast.Attribute) and parent.attr in ("aclose", "close"):
            draft.doubt_because("the client is closed")
        if sites.owner(draft.reading, node) is not function:
            draft.doubt_because("a nested function has the client")


@mutator("AT703", sites.running_async_tests)
def plant_an_open_client(draft: Draft, test: Test) -> None:
    """Put an `httpx.AsyncClient` into an async test that nobody closes."""
    name, client = draft.new_name("planted_client"), draft.name(HTTPX)
    draft.first_in(test.node, f'{name} = {HERE}{client}(base_url="http://test")', f"assert {name}.timeout is not None")


# -- AT704 to AT707: databases and apps --------------------------------------------------------------------------------


def _disposals(reading: Reading) -> Iterator[tuple[ast.Call, ast.Expr]]:
    """`engine = create_async_engine(..)` in a fixture or test, and `await engine.dispose()`."""
    for call in sites.calls_of(ENGINE)(reading):
        function = sites.owner(reading, call)
        statement = reading.source.parents[call]
        if function is None or not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        if not (reading.is_test(function) or reading.is_fixture(function)):
            continue
        name = statement.targets[0].id
        found = [
            each for each in reading.source.own_of(function, ast.Expr) if ast.unparse(each) == f"await {name}.dispose()"
        ]
        if len(found) == 1:
            yield call, found[0]


@mutator("AT704", _disposals)
def never_dispose_of_an_engine(draft: Draft, site: tuple[ast.Call, ast.Expr]) -> None:
    """Take `await engine.dispose()` out."""
    call, disposal = site
    draft.expect(call)
    draft.remove(disposal)
    function = sites.owner(draft.reading, call)
    statement = draft.source.parents[call]
    assert function is not None
    assert isinstance(statement, ast.Assign)
    name = ast.unparse(statement.targets[0])
    for node in ast.walk(function):
        is_use = isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        parent = draft.source.parents.get(node)
        if is_use and isinstance(parent, (ast.Call, ast.Return, ast.keyword)):
            consumer = draft.source.dotted(parent.func) if isinstance(parent, ast.Call) else ""
            if not consumer.startswith("sqlalchemy."):
                draft.doubt_because("the engine is handed over")


@mutator("AT704", sites.running_async_tests)
def plant_an_engine(draft: Draft, test: Test) -> None:
    """Put an async engine into a test that nobody disposes of."""
    name, engine = draft.new_name("planted_engine"), draft.name(NEW_ENGINE)
    draft.first_in(
        test.node,
        f'{name} = {HERE}{engine}("sqlite+aiosqlite://")',
        f"async with {name}.connect() as planted_connection:",
        "    assert planted_connection",
    )


def _clearings(reading: Reading) -> Iterator[tuple[ast.stmt, list[ast.stmt]]]:
    """The first override of an imported app in a test or fixture, and the statements that clear all of them."""
    for function in reading.source.functions if "dependency_overrides" in reading.source.text else ():
        if not (reading.is_test(function) or reading.is_fixture(function)):
            continue
        sets: list[ast.stmt] = []
        clears: list[ast.stmt] = []
        for statement in (node for node in reading.source.own(function) if isinstance(node, ast.stmt)):
            text = ast.unparse(statement)
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute):
                if target.value.attr == "dependency_overrides" and reading.source.dotted(target.value.value):
                    sets.append(statement)
            elif (
                isinstance(statement, ast.Expr)
                and ("dependency_overrides.clear()" in text or "dependency_overrides.pop(" in text)
            ) or (isinstance(statement, ast.Assign) and text.endswith("dependency_overrides = {}")):
                clears.append(statement)
        if sets and clears:
            yield sets[0], clears


@mutator("AT705", _clearings)
def never_clear_the_overrides(draft: Draft, site: tuple[ast.stmt, list[ast.stmt]]) -> None:
    """Take `app.dependency_overrides.clear()` out."""
    first, clears = site
    draft.expect(first)
    for each in clears:
        draft.remove(each)
    texts = draft.source.text + draft.reading.suite.around(draft.reading.folder)
    if texts.count("dependency_overrides.clear") + texts.count("dependency_overrides.pop") + texts.count(
        "overrides = {}"
    ) > len(clears):
        draft.doubt_because("another fixture may clear them")


def _imported_apps(reading: Reading) -> Iterator[tuple[Test, str]]:
    """The tests of files that import an app, and its name."""
    for name, meaning in reading.source.imported.items():
        if name == "app" and meaning != "app" and name in reading.source.top_level:
            for test in sites.running_async_tests(reading):
                yield test, name


@mutator("AT705", _imported_apps)
def plant_an_override(draft: Draft, site: tuple[Test, str]) -> None:
    """Override a dependency of an imported app in a test, and leave it."""
    test, name = site
    draft.first_in(test.node, f"{HERE}{name}.dependency_overrides[print] = lambda: None")
    if "dependency_overrides" in draft.source.text + draft.reading.suite.around(draft.reading.folder):
        draft.doubt_because("others may clear it")


def _yielded_sessions(reading: Reading) -> Iterator[tuple[ast.AsyncWith, ast.Expr, str]]:
    """`async with AsyncSession(engine) as session: yield session` in a fixture."""
    for fixture in sites.yielding_async_fixtures(reading):
        statement = reading.the_yield(fixture.node)
        assert statement is not None
        block = reading.source.parents[statement]
        if "sqlalchemy" not in reading.source.text or not isinstance(statement.value, ast.Yield):
            continue
        if isinstance(block, ast.AsyncWith) and not _enters_client(reading, block):
            yielded, variable = statement.value.value, block.items[-1].optional_vars
            if isinstance(yielded, ast.Name) and isinstance(variable, ast.Name) and yielded.id == variable.id:
                yield block, statement, yielded.id


def _enters_client(reading: Reading, block: ast.AsyncWith) -> bool:
    calls = [item.context_expr for item in block.items if isinstance(item.context_expr, ast.Call)]
    return any(reading.source.dotted(call.func) in (HTTPX, AIOHTTP) for call in calls)


@mutator("AT706", _yielded_sessions)
def yield_inside_a_begin(draft: Draft, site: tuple[ast.AsyncWith, ast.Expr, str]) -> None:
    """Put `async with session.begin()` around the `yield` of a session."""
    block, statement, name = site
    draft.wrap(statement, statement, f"{HERE}async with {name}.begin():")
    if "rollback" in draft.source.text_of(block):
        draft.doubt_because("it is rolled back")


@mutator("AT706", sites.file)
def plant_a_session_in_a_begin(draft: Draft, _: Reading) -> None:
    """Put a fixture into a test file that yields a session inside of its `begin()`."""
    name, fixture, session = (
        draft.new_name("planted_session"),
        draft.name("pytest_asyncio.fixture"),
        draft.name("sqlalchemy.ext.asyncio:AsyncSession"),
    )
    draft.at_the_end(
        f"@{fixture}",
        f"async def {name}(engine):",
        f"    async with {session}(engine) as session:",
        f"        {HERE}async with session.begin():",
        "            yield session",
    )


def _memory_engines(reading: Reading) -> Iterator[ast.Call]:
    for call in sites.calls_of(ENGINE)(reading):
        if (
            call.args
            and isinstance(call.args[0], ast.Constant)
            and _keyword(call, "poolclass") is None
            and call.args[0].value in ("sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite://")
        ):
            yield call


@mutator("AT707", _memory_engines)
def keep_no_connection_to_a_database_in_memory(draft: Draft, call: ast.Call) -> None:
    """Add `poolclass=NullPool` to the engine of a database in memory."""
    draft.insert(draft.source.end(call.args[0]), f", {HERE}poolclass={draft.name('sqlalchemy.pool:NullPool')}")


@mutator("AT707", sites.file)
def plant_an_engine_without_a_pool(draft: Draft, _: Reading) -> None:
    """Put an engine with `NullPool` and a database in memory into a test file."""
    name, engine, pool = (
        draft.new_name("planted_engine"),
        draft.name(NEW_ENGINE),
        draft.name("sqlalchemy.pool:NullPool"),
    )
    draft.at_the_end(f'{name} = {engine}("sqlite+aiosqlite:///:memory:", {HERE}poolclass={pool})')


# -- AT708 to AT710 ----------------------------------------------------------------------------------------------------


def _clients_with_base_url(reading: Reading) -> Iterator[tuple[ast.Call, ast.keyword, ast.Call]]:
    """An `httpx.AsyncClient` with `base_url`, and its first request of a path, in one function."""
    for block, call, name in _httpx_clients(reading):
        base_url = _keyword(call, "base_url")
        if base_url is None:
            continue
        requests = [
            node
            for statement in block.body
            for node in ast.walk(statement)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in REQUESTS
            and ast.unparse(node.func.value) == name
            and node.args
        ]
        requests.sort(key=reading.source.start)
        if (
            requests
            and isinstance(requests[0].args[0], ast.Constant)
            and str(requests[0].args[0].value).startswith("/")
        ):
            yield call, base_url, requests[0]


@mutator("AT708", _clients_with_base_url)
def drop_the_base_url(draft: Draft, site: tuple[ast.Call, ast.keyword, ast.Call]) -> None:
    """Drop `base_url=` of an `httpx.AsyncClient` that is asked for paths."""
    call, base_url, request = site
    draft.expect(request)
    parts: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    at = parts.index(base_url)
    source = draft.source
    if at:
        draft.span(source.end(parts[at - 1]), source.end(base_url), "")
    elif len(parts) > 1:
        draft.span(source.start(base_url), source.start(parts[1]), "")
    else:
        draft.replace(base_url, "")
    if any(each.arg is None for each in call.keywords) or ".base_url" in source.text:
        draft.doubt_because("a base URL may be given otherwise")
    for each in source.ancestors(request):
        if isinstance(each, (ast.With, ast.AsyncWith)) and "aises" in ast.unparse(each.items[0].context_expr):
            draft.doubt_because("the failure may be expected")


@mutator("AT708", sites.running_async_tests)
def plant_a_relative_request(draft: Draft, test: Test) -> None:
    """Put a request of a path into an async test, by a client without `base_url`."""
    client, name = draft.name(HTTPX), draft.new_name("planted_client")
    draft.first_in(test.node, f"async with {client}() as {name}:", f'    await {HERE}{name}.get("/orders")')


RESOURCES = (
    ("asyncio.Lock", "async with {}:"),
    ("asyncio.Semaphore", "async with {}:"),
    ("asyncio.Condition", "async with {}:"),
)


def _two_tests(reading: Reading) -> Iterator[tuple[Test, Test, tuple[str, str]]]:
    tests = list(sites.tests_on_asyncio(reading))
    for number in range(len(tests) - 1):
        yield tests[number], tests[number + 1], RESOURCES[number % len(RESOURCES)]


@mutator("AT709", _two_tests)
def share_a_lock_between_tests(draft: Draft, site: tuple[Test, Test, tuple[str, str]]) -> None:
    """Put a lock of the module into two async tests."""
    one, other, (made, use) = site
    name = draft.new_name("PLANTED_LOCK")
    draft.above_definitions(f"{HERE}{name} = {draft.name(made)}()")
    for test in (one, other):
        draft.first_in(test.node, use.format(name), "    pass")
        _doubt_about_loops(draft, test)


def _doubt_about_loops(draft: Draft, test: Test) -> None:
    """Tests may share a loop, and one that is skipped shares nothing."""
    reading = draft.reading
    options = reading.configuration.options
    if "scope" in draft.source.text or "asyncio_default_test_loop_scope" in options or not reading.configuration.known:
        draft.doubt_because("the tests may share a loop")
    if reading.suite.doubt_about_hooks(reading.folder):
        draft.doubt_because("a conftest.py may give the tests another loop")
    if "skip" in (reading.marks_of(test) or ("skip",)):
        draft.doubt_because("a test may be skipped")


@mutator("AT709", sites.tests_on_asyncio)
def share_a_client_session(draft: Draft, test: Test) -> None:
    """Put an `aiohttp.ClientSession` of the module into an async test."""
    name = draft.new_name("PLANTED_SESSION")
    draft.above_definitions(f"{HERE}{name} = {draft.name(AIOHTTP)}()")
    draft.first_in(test.node, f'await {name}.get("http://localhost/")')
    _doubt_about_loops(draft, test)


def _methods_of_collected_classes(reading: Reading) -> Iterator[Test]:
    for test in sites.running_async_tests(reading):
        if test.klass is not None and test.node.args.args and test.node.args.args[0].arg == "self":
            yield test


@mutator("AT710", _methods_of_collected_classes)
def share_a_list_between_tests(draft: Draft, test: Test) -> None:
    """Put a list into a test class, and let an async test append to it."""
    klass = test.klass
    assert klass is not None
    name = draft.new_name("planted_orders")
    # Behind the docstring, where there is one.
    first = klass.body[0]
    if ast.get_docstring(klass, clean=False) is not None:
        draft.after(first, f"{HERE}{name} = []")
    else:
        draft.before(first, f"{HERE}{name} = []")
    draft.first_in(test.node, f"self.{name}.append(1)")


@mutator("AT710", _methods_of_collected_classes)
def assign_through_the_class(draft: Draft, test: Test) -> None:
    """Assign through `type(self)` in a test."""
    draft.first_in(test.node, f"{HERE}type(self).{draft.new_name('planted_order')} = 1")
