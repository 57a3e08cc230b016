"""AT9: what not every team wants."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.clients import HTTPX
from tests.mutation.mutators.clocks import is_tampered_with
from tests.mutation.mutators.registry import mutator
from tests.mutation.source import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Fixture, Reading, Test


# -- AT901, AT911: marks -----------------------------------------------------------------------------------------------


@mutator("AT901", sites.async_tests)
def mark_a_test_in_auto_mode(draft: Draft, test: Test) -> None:
    """Put `@pytest.mark.asyncio` on a test in auto mode."""
    reading = draft.reading
    if reading.configuration.asyncio_mode != "auto" or test.kind != "plain":
        raise ImpossibleError
    marks = reading.marks_of(test)
    if marks is None or "asyncio" in marks or not reading.has_only_marks(test.node):
        raise ImpossibleError
    draft.before(test.node, f"@{HERE}{draft.name('pytest.mark.asyncio')}")
    draft.doubt_because(reading.suite.doubt_about_hooks(reading.folder))


def _two_marked_tests(reading: Reading) -> Iterator[tuple[Test, Test]]:
    """The first marked test of a class or of the module, and another beside it, both with a bare mark."""
    firsts: dict[ast.ClassDef | None, Test] = {}
    for test in sites.marked_tests(reading):
        first = firsts.setdefault(test.klass, test)
        if first is not test:
            yield first, test


@mutator("AT911", _two_marked_tests)
def give_a_test_another_loop_than_its_neighbour(draft: Draft, site: tuple[Test, Test]) -> None:
    """Give one of two marked tests `loop_scope="module"`."""
    first, test = site
    reading = draft.reading
    one, other = reading.own_mark(first.node, "asyncio"), reading.own_mark(test.node, "asyncio")
    assert other is not None
    if isinstance(one, ast.Call) or isinstance(other, ast.Call):
        raise ImpossibleError
    draft.expect(other)
    draft.insert(draft.source.end(other), '(loop_scope="module")')
    if reading.configuration.options.get("asyncio_default_test_loop_scope", "function") != "function":
        draft.doubt_because("the configuration sets the tests' loops")
    nodes = [each.node for each in reading.tests]
    marked = [node for node in draft.source.of(ast.AsyncFunctionDef) if node not in nodes and node.decorator_list]
    if marked:
        draft.doubt_because("other marked functions may come first")


# -- AT902, AT903: mocks -----------------------------------------------------------------------------------------------


def _awaited_assertions(reading: Reading) -> Iterator[tuple[ast.Call, str]]:
    """`m.assert_awaited_once()` of a name."""
    for call in reading.source.of(ast.Call):
        if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
            continue
        if call.func.attr.startswith("assert_awaited") and isinstance(reading.source.parents[call], ast.Expr):
            yield call, call.func.value.id


@mutator("AT902", _awaited_assertions)
def assert_a_call_only(draft: Draft, site: tuple[ast.Call, str]) -> None:
    """Write `assert_called_once` for `assert_awaited_once`."""
    call, _ = site
    assert isinstance(call.func, ast.Attribute)
    end = draft.source.end(call.func)
    draft.expect(call)
    draft.span(end - len(call.func.attr), end, call.func.attr.replace("awaited", "called"))
    if draft.reading.mock_kind(call.func.value, call) != "AsyncMock":
        draft.doubt_because("the receiver is not known to be an AsyncMock")
    function = sites.owner(draft.reading, call)
    if function is not None and any(
        word in draft.source.text_of(function) for word in ("create_task", "gather", "ensure_future")
    ):
        draft.doubt_because("the mock may be handed to a task")


def _specced_mocks(reading: Reading) -> Iterator[tuple[ast.Call, str]]:
    for call in sites.calls_of("unittest.mock.AsyncMock")(reading):
        statement = reading.source.parents[call]
        if call.keywords and isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield call, statement.targets[0].id


@mutator("AT903", _specced_mocks)
def take_away_what_a_mock_does(draft: Draft, site: tuple[ast.Call, str]) -> None:
    """Write `AsyncMock()` for one with a spec or a return value."""
    call, name = site
    function = sites.owner(draft.reading, call)
    if function is None:
        raise ImpossibleError
    draft.expect(call)
    draft.replace(call, f"{draft.source.text_of(call.func)}()")
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            parent = draft.source.parents[node]
            is_assertion = isinstance(parent, ast.Attribute) and parent.attr.startswith("assert_")
            if not is_assertion and not isinstance(parent, (ast.Call, ast.keyword)):
                draft.doubt_because("it may be configured later")


# -- AT904, AT905 ------------------------------------------------------------------------------------------------------


@mutator("AT904", sites.running_async_tests)
def sleep_in_place_of_waiting(draft: Draft, test: Test) -> None:
    """Put a short sleep into an async test."""
    draft.first_in(test.node, f"await {HERE}{draft.name('asyncio.sleep')}(0.1)")
    draft.doubt_because(is_tampered_with(draft.reading))


WAITS = {"wait": "asyncio.Event", "get": "asyncio.Queue", "acquire": "asyncio.Lock"}


def _limited_waits(reading: Reading) -> Iterator[tuple[ast.Await, ast.Call]]:
    """`await asyncio.wait_for(event.wait(), 1)` directly in a test."""
    for node in sites.awaits_in_tests_and_fixtures(reading):
        call = node.value
        function = sites.owner(reading, node)
        if not isinstance(call, ast.Call) or reading.source.dotted(call.func) != "asyncio.wait_for" or not call.args:
            continue
        inner = call.args[0]
        if (
            function is not None
            and reading.is_test(function)
            and isinstance(inner, ast.Call)
            and isinstance(inner.func, ast.Attribute)
            and inner.func.attr in WAITS
        ):
            yield node, inner


def _doubt_about_limits(reading: Reading) -> str:
    texts = reading.source.text + reading.suite.around(reading.folder)
    if (
        "timeout" in reading.configuration.options
        or "mark.timeout" in texts
        or "--timeout" in str(reading.configuration)
    ):
        return "pytest-timeout is configured"
    return ""


@mutator("AT905", _limited_waits)
def wait_for_ever(draft: Draft, site: tuple[ast.Await, ast.Call]) -> None:
    """Write `await event.wait()` for `asyncio.wait_for(event.wait(), 1)`."""
    node, inner = site
    assert isinstance(inner.func, ast.Attribute)
    draft.replace(node, f"{HERE}await {draft.source.text_of(inner)}")
    draft.doubt_because(_doubt_about_limits(draft.reading))
    owner = inner.func.value
    value = draft.reading.bound_in_function(owner.id, inner) if isinstance(owner, ast.Name) else None
    if not isinstance(value, ast.Call) or draft.source.dotted(value.func) != WAITS[inner.func.attr]:
        draft.doubt_because("what is waited for is not known")
    if any(
        "timeout" in ast.unparse(item.context_expr)
        for each in draft.source.ancestors(node)
        if isinstance(each, (ast.With, ast.AsyncWith))
        for item in each.items
    ):
        draft.doubt_because("a timeout is around it")


@mutator("AT905", sites.running_async_tests)
def plant_a_wait_for_ever(draft: Draft, test: Test) -> None:
    """Put `await event.wait()` into an async test."""
    name = draft.new_name("planted_event")
    draft.first_in(test.node, f"{name} = {draft.name('asyncio.Event')}()", f"{HERE}await {name}.wait()")
    draft.doubt_because(_doubt_about_limits(draft.reading))


# -- AT906 to AT909 ----------------------------------------------------------------------------------------------------


@mutator("AT906", sites.sync_tests)
def use_a_sync_client_in_an_async_test(draft: Draft, test: Test) -> None:
    """Make a test async that uses a `TestClient` made in it."""
    if test.kind != "plain":
        raise ImpossibleError
    reading = draft.reading
    for call in draft.source.own_of(test.node, ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("get", "post", "put", "delete", "patch"):
            owner = call.func.value
            value = reading.bound_in_function(owner.id, call) if isinstance(owner, ast.Name) else None
            if isinstance(value, ast.Call) and draft.source.dotted(value.func) == "starlette.testclient.TestClient":
                parent = draft.source.parents[value]
                draft.insert(draft.source.start(test.node), "async ")
                if isinstance(parent, ast.withitem):
                    statement = draft.source.parents[parent]
                    assert isinstance(statement, ast.With)
                    if len(statement.items) > 1:
                        raise ImpossibleError
                    draft.expect(statement)
                else:
                    draft.expect(call)
                return
    raise ImpossibleError


@mutator("AT906", sites.running_async_tests)
def plant_a_sync_client(draft: Draft, test: Test) -> None:
    """Put a `TestClient` and a request into an async test."""
    name, client = draft.new_name("planted_client"), draft.name("starlette.testclient:TestClient")
    draft.first_in(test.node, f"{name} = {client}(print)", f'{HERE}{name}.get("/orders")')


def _awaited_after_cancel(reading: Reading) -> Iterator[tuple[ast.Expr, list[ast.stmt]]]:
    """`task.cancel()` in a test that started the task, and all the statements after that which speak of it."""
    for call in sites.calls_of("asyncio.create_task")(reading):
        statement = reading.source.parents[call]
        function = sites.owner(reading, call)
        if function is None or not reading.is_test(function) or not isinstance(statement, ast.Assign):
            continue
        if not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        cancels = [each for each in function.body if ast.unparse(each) == f"{name}.cancel()"]
        mentions = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
        if len(cancels) != 1 or sum(isinstance(node.ctx, ast.Store) for node in mentions) != 1:
            continue
        cancel = cancels[0]
        assert isinstance(cancel, ast.Expr)
        later = [
            each
            for each in function.body[function.body.index(cancel) + 1 :]
            if any(node in mentions for node in ast.walk(each))
        ]
        if later:
            yield cancel, later


@mutator("AT907", _awaited_after_cancel)
def never_await_a_cancelled_task(draft: Draft, site: tuple[ast.Expr, list[ast.stmt]]) -> None:
    """Take out what awaits a task after `task.cancel()`."""
    cancel, later = site
    draft.expect(cancel)
    for statement in later:
        draft.remove(statement)
    function = sites.owner(draft.reading, cancel)
    assert function is not None
    assert isinstance(cancel.value, ast.Call)
    assert isinstance(cancel.value.func, ast.Attribute)
    name = ast.unparse(cancel.value.func.value)
    for node in ast.walk(function):
        is_before = isinstance(node, ast.Name) and node.id == name and node.lineno < cancel.lineno
        if is_before and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if not isinstance(draft.source.parents[node], ast.Attribute):
                draft.doubt_because("the task is handed over")
            if sites.owner(draft.reading, node) is not function:
                draft.doubt_because("the task is used elsewhere")


@mutator("AT907", sites.running_async_tests)
def plant_a_cancelled_task(draft: Draft, test: Test) -> None:
    """Start a task in an async test, cancel it, and go on."""
    name, create_task = draft.new_name("planted_task"), draft.name("asyncio.create_task")
    draft.first_in(test.node, f"{name} = {create_task}({draft.name('asyncio.sleep')}(60))", f"{HERE}{name}.cancel()")


def _fixtures_with_teardown(reading: Reading) -> Iterator[tuple[Fixture, ast.Expr]]:
    """The fixtures of which the last statement is one awaited clean-up behind the yield."""
    for fixture in sites.yielding_async_fixtures(reading):
        statement = reading.the_yield(fixture.node)
        if statement not in fixture.node.body:
            continue
        after = fixture.node.body[fixture.node.body.index(statement) + 1 :]
        if len(after) == 1 and isinstance(after[0], ast.Expr) and isinstance(after[0].value, ast.Await):
            yield fixture, after[0]


@mutator("AT908", _fixtures_with_teardown)
def clean_up_twice(draft: Draft, site: tuple[Fixture, ast.Expr]) -> None:
    """Put a second awaited clean-up behind that of a fixture."""
    _, last = site
    draft.after(last, f"{HERE}{draft.source.text_of(last)}")
    assert isinstance(last.value, ast.Await)
    call = last.value.value
    if (
        not isinstance(call, ast.Call)
        or not isinstance(call.func, ast.Attribute)
        or call.func.attr
        not in (
            "close",
            "aclose",
            "stop",
            "dispose",
            "shutdown",
            "disconnect",
        )
    ):
        draft.doubt_because("that may be no clean-up")


@mutator("AT909", sites.running_async_tests)
def plant_an_app_with_a_lifespan(draft: Draft, test: Test) -> None:
    """Put an app with a lifespan into a file, and a transport over it into a test."""
    name, app = draft.new_name("planted_app"), draft.name("starlette.applications:Starlette")
    manager, transport = draft.name("contextlib:asynccontextmanager"), draft.name("httpx.ASGITransport")
    draft.above_definitions(
        f"@{manager}", "async def planted_lifespan(app):", "    yield", "", f"{name} = {app}(lifespan=planted_lifespan)"
    )
    draft.first_in(test.node, f"assert {HERE}{transport}(app={name})")
    if "LifespanManager" in draft.source.text or "lifespan_context" in draft.source.text:
        draft.doubt_because("the lifespan may be run")


# -- AT910, AT912, AT913 -----------------------------------------------------------------------------------------------


@mutator("AT910", sites.sync_tests)
def make_a_sync_test_async(draft: Draft, test: Test) -> None:
    """Make a sync test async that has nothing to await."""
    reading = draft.reading
    if test.kind != "plain" or reading.parameters(test.node) or not reading.has_only_marks(test.node):
        raise ImpossibleError
    if any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in draft.source.own(test.node)):
        raise ImpossibleError
    draft.expect(test.node)
    draft.insert(draft.source.start(test.node), "async ")
    if any(isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)) for node in draft.source.own(test.node)):
        draft.doubt_because("functions in it may need a loop")
    for call in draft.source.own_of(test.node, ast.Call):
        dotted = draft.source.dotted(call.func)
        if not dotted.startswith(("builtins.", "pytest.raises")):
            draft.doubt_because("what it calls may need a loop")
    if test.klass is not None and any("autouse" in draft.source.text_of(each) for each in test.klass.body):
        draft.doubt_because("a fixture is used by itself")
    if "autouse" in draft.source.text + reading.suite.around(reading.folder):
        draft.doubt_because("a fixture is used by itself")


@mutator("AT912", sites.running_async_tests)
def plant_a_request_to_the_network(draft: Draft, test: Test) -> None:
    """Put a request to a public host into an async test."""
    client, name = draft.name(HTTPX), draft.new_name("planted_client")
    draft.first_in(
        test.node,
        f"async with {client}() as {name}:",
        f'    await {HERE}{name}.get("https://api.planted-shop.com/orders")',
    )
    texts = draft.source.text + draft.reading.suite.around(draft.reading.folder)
    if any(word in texts for word in ("respx", "aioresponses", "httpx_mock", "pytest_httpx", "patch", "vcr")):
        draft.doubt_because("requests may be intercepted")


@mutator("AT913", sites.file)
def plant_an_engine_of_a_server(draft: Draft, _: Reading) -> None:
    """Put an engine of a database server into a test file."""
    engine, name = draft.name("sqlalchemy.ext.asyncio:create_async_engine"), draft.new_name("planted_engine")
    draft.at_the_end(f'{name} = {engine}({HERE}"postgresql+asyncpg://u:p@db.planted-shop.com/shop")')
