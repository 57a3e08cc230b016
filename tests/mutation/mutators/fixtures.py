"""AT2: fixtures and the scopes of event loops."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.registry import mutator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Fixture, Reading, Test


def _keyword(call: ast.Call | None, name: str) -> ast.keyword | None:
    return next((each for each in (call.keywords if call else ()) if each.arg == name), None)


def _literal_scope(fixture: Fixture) -> str:
    """The literal scope of a fixture, "" where it is none."""
    given = _keyword(fixture.call, "scope")
    if given is None:
        return "function"
    return str(given.value.value) if isinstance(given.value, ast.Constant) else ""


def _with_keyword(draft: Draft, decorator: ast.expr, keyword: str) -> str:
    """The text of a decorator with one keyword more."""
    text = draft.source.text_of(decorator)
    if not isinstance(decorator, ast.Call):
        return f"{text}({keyword})"
    inner = text[: -len(")")].rstrip()
    separator = "" if inner.endswith("(") else " " if inner.endswith(",") else ", "
    return f"{inner}{separator}{keyword})"


# -- AT201 -------------------------------------------------------------------------------------------------------------


def _strict_fixtures(reading: Reading) -> Iterator[Fixture]:
    for fixture in sites.async_fixtures(reading):
        if (
            fixture.library == "pytest_asyncio"
            and reading.configuration.asyncio_mode != "auto"
            and _keyword(fixture.call, "loop_scope") is None
        ):
            yield fixture


@mutator("AT201", _strict_fixtures)
def make_an_async_fixture_a_plain_one(draft: Draft, fixture: Fixture) -> None:
    """Write `@pytest.fixture` for `@pytest_asyncio.fixture` on an async function."""
    reading = draft.reading
    called = fixture.decorator.func if isinstance(fixture.decorator, ast.Call) else fixture.decorator
    draft.replace(called, draft.name("pytest.fixture"))
    draft.expect(fixture.node)
    if reading.configuration.asyncio_mode != "strict":
        draft.doubt_because("the mode is not known")
    draft.doubt_because(reading.doubt_about_runner)
    if reading.suite.speaks_of_anyio(reading.folder):
        draft.doubt_because("anyio may handle it")


# -- AT202 -------------------------------------------------------------------------------------------------------------


def _requested_fixtures(reading: Reading) -> Iterator[tuple[Test, ast.arg, Fixture]]:
    """The async fixtures of the module that its tests take as a parameter and use."""
    local = {fixture.node.name: fixture for fixture in reading.fixtures if fixture.node in reading.source.tree.body}
    for test in reading.tests:
        for parameter in reading.parameters(test.node):
            fixture = local.get(parameter.arg)
            if fixture is not None and fixture.is_async and _keyword(fixture.call, "name") is None:
                yield test, parameter, fixture


def _uses(_: Reading, test: Test, name: str) -> list[ast.Name]:
    found = [
        node for each in test.node.body for node in ast.walk(each) if isinstance(node, ast.Name) and node.id == name
    ]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


@mutator("AT202", _requested_fixtures)
def forget_to_request_a_fixture(draft: Draft, site: tuple[Test, ast.arg, Fixture]) -> None:
    """Drop the parameter by which a test requests an async fixture of the module."""
    test, parameter, _ = site
    uses = _uses(draft.reading, test, parameter.arg)
    if (
        not uses
        or any(isinstance(node.ctx, ast.Store) for node in uses)
        or (
            test.node.decorator_list
            and parameter.arg in "".join(ast.unparse(each) for each in test.node.decorator_list)
        )
    ):
        raise ImpossibleError
    telling = [node for node in uses if _tells(draft, node)]
    if len(telling) != len(uses):
        draft.doubt_because("the name is passed on")
    draft.expect((telling or uses)[0])
    remove_parameter(draft, test, parameter)


def _tells(draft: Draft, node: ast.Name) -> bool:
    """Whether a name is used in a way that the rule speaks of."""
    parent = draft.source.parents[node]
    if isinstance(parent, ast.Call):
        return parent.func is node
    if isinstance(parent, ast.Attribute):
        return isinstance(parent.ctx, ast.Load)
    return isinstance(parent, (ast.Assert, ast.Compare, ast.Await))


def remove_parameter(draft: Draft, test: Test, parameter: ast.arg) -> None:
    arguments = test.node.args
    everything = [*arguments.posonlyargs, *arguments.args]
    if arguments.kwonlyargs or arguments.vararg or arguments.defaults or parameter not in everything:
        raise ImpossibleError
    at = everything.index(parameter)
    source = draft.source
    if at:
        draft.span(source.end(everything[at - 1]), source.end(parameter), "")
    elif len(everything) > 1:
        draft.span(source.start(parameter), source.start(everything[1]), "")
    else:
        draft.replace(parameter, "")


# -- AT203 to AT205 ----------------------------------------------------------------------------------------------------


def _file_on_asyncio(reading: Reading) -> Iterator[Reading]:
    """The files of which pytest-asyncio runs a test."""
    if any(True for _ in sites.tests_on_asyncio(reading)):
        yield reading


@mutator("AT203", _file_on_asyncio)
def override_the_event_loop(draft: Draft, _: Reading) -> None:
    """Put a fixture `event_loop` into a test file."""
    draft.new_name("event_loop")
    fixture, new_loop = draft.name("pytest.fixture"), draft.name("asyncio.new_event_loop")
    draft.at_the_end(
        f"@{fixture}",
        f"{HERE}def event_loop():",
        f"    loop = {new_loop}()",
        "    yield loop",
        "    loop.close()",
    )


@mutator("AT203", sites.conftest)
def override_the_event_loop_in_a_conftest(draft: Draft, reading: Reading) -> None:
    """Put a session-scoped fixture `event_loop` into a conftest.py."""
    draft.new_name("event_loop")
    fixture, new_loop = draft.name("pytest.fixture"), draft.name("asyncio.new_event_loop")
    draft.at_the_end(
        f'@{fixture}(scope="session")',
        f"{HERE}def event_loop():",
        f"    loop = {new_loop}()",
        "    yield loop",
        "    loop.close()",
    )
    is_runner = reading.configuration.asyncio_mode == "auto" or reading.suite.marks_asyncio(reading.folder)
    if "no:asyncio" in reading.configuration.options.get("addopts", "") or not is_runner:
        draft.doubt_because("pytest-asyncio may not be the runner")


@mutator("AT204", sites.tests_on_asyncio)
def request_the_event_loop(draft: Draft, test: Test) -> None:
    """Add the parameter `event_loop` to a test."""
    reading = draft.reading
    if test.kind != "plain" or "event_loop" in draft.source.text + reading.suite.around(reading.folder):
        raise ImpossibleError
    if "pytest_plugins" in draft.source.text + reading.suite.around(
        reading.folder
    ) or "import *" in reading.suite.around(reading.folder):
        draft.doubt_because("a plugin may have such a fixture")
    add_parameter(draft, test, f"{HERE}event_loop")


def add_parameter(draft: Draft, test: Test, text: str) -> None:
    """Put a parameter behind the last one without a default."""
    arguments = test.node.args
    if arguments.posonlyargs or arguments.defaults or arguments.vararg or arguments.kwonlyargs:
        raise ImpossibleError
    if arguments.args:
        draft.insert(draft.source.end(arguments.args[-1]), f", {text}")
        return
    start = draft.source.text.index("(", draft.source.text.index(test.node.name, draft.source.start(test.node)))
    draft.insert(start + 1, text)


@mutator("AT205", _file_on_asyncio)
def override_the_event_loop_policy(draft: Draft, _: Reading) -> None:
    """Put a fixture `event_loop_policy` into a test file."""
    draft.new_name("event_loop_policy")
    fixture, policy = draft.name("pytest.fixture"), draft.name("asyncio.DefaultEventLoopPolicy")
    draft.at_the_end(f"@{fixture}", f"{HERE}def event_loop_policy():", f"    return {policy}()")


# -- AT206 to AT208: scopes --------------------------------------------------------------------------------------------


def _fixtures_of_pytest_asyncio(reading: Reading) -> Iterator[Fixture]:
    for fixture in reading.fixtures:
        if (
            fixture.library == "pytest_asyncio"
            and _keyword(fixture.call, "loop_scope") is None
            and _literal_scope(fixture)
            and not (fixture.call and fixture.call.args)
        ):
            yield fixture


@mutator("AT206", _fixtures_of_pytest_asyncio)
def narrow_the_loop_of_a_fixture(draft: Draft, fixture: Fixture) -> None:
    """Keep a fixture for the module (or as long as it says) and run it on a function's loop."""
    keyword = 'loop_scope="function"'
    if _literal_scope(fixture) == "function":
        if _keyword(fixture.call, "scope") is not None:
            raise ImpossibleError
        keyword = f'scope="module", {keyword}'
    draft.expect(fixture.decorator)
    draft.replace(fixture.decorator, _with_keyword(draft, fixture.decorator, keyword))


HOLDERS = ("Queue()", "Lock()", "Event()", "Semaphore(2)", "Condition()")


def _tests_on_a_loop_of_their_own(reading: Reading) -> Iterator[tuple[Test, str]]:
    """The plain tests whose bare mark is the only word on their loop."""
    for number, test in enumerate(sites.marked_tests(reading)):
        mark = reading.own_mark(test.node, "asyncio")
        if not isinstance(mark, ast.Call):
            yield test, HOLDERS[number % len(HOLDERS)]


def _doubt_about_own_loop(reading: Reading) -> str:
    if "asyncio_default_test_loop_scope" in reading.configuration.options or not reading.configuration.known:
        return "the configuration sets the tests' loops"
    if "loop_scope" in reading.source.text + reading.suite.around(reading.folder):
        return "loop scopes are set elsewhere in the file"
    if "pytestmark" in reading.source.text or reading.suite.doubt_about_hooks(reading.folder):
        return "marks may come from elsewhere"
    return ""


@mutator("AT207", _tests_on_a_loop_of_their_own)
def share_a_fixture_between_loops(draft: Draft, site: tuple[Test, str]) -> None:
    """Let a test request a module-scoped fixture that yields a queue, a lock or an event."""
    test, holder = site
    name = draft.new_name("planted")
    fixture, made = draft.name("pytest_asyncio.fixture"), draft.name(f"asyncio.{holder}")
    draft.doubt_because(_doubt_about_own_loop(draft.reading))
    if draft.reading.configuration.options.get("asyncio_default_fixture_loop_scope") not in (None, "module", "session"):
        raise ImpossibleError
    add_parameter(draft, test, f"{HERE}{name}")
    draft.at_the_end(f'@{fixture}(scope="module")', f"async def {name}():", f"    yield {made}")


@mutator("AT207", _tests_on_a_loop_of_their_own)
def run_a_task_on_another_loop(draft: Draft, site: tuple[Test, str]) -> None:
    """Let a test request a session-scoped fixture that keeps a task running."""
    test, _ = site
    name = draft.new_name("planted")
    fixture, create_task = draft.name("pytest_asyncio.fixture"), draft.name("asyncio.create_task")
    sleep = draft.name("asyncio.sleep")
    draft.doubt_because(_doubt_about_own_loop(draft.reading))
    if draft.reading.configuration.options.get("asyncio_default_fixture_loop_scope") not in (None, "module", "session"):
        raise ImpossibleError
    add_parameter(draft, test, f"{HERE}{name}")
    draft.at_the_end(
        f'@{fixture}(scope="session")',
        f"async def {name}():",
        f"    task = {create_task}({sleep}(60))",
        "    yield 42",
        "    task.cancel()",
    )


@mutator("AT208", sites.marked_tests)
def write_scope_for_loop_scope(draft: Draft, test: Test) -> None:
    """Write `scope=` for `loop_scope=` in the asyncio mark."""
    mark = draft.reading.own_mark(test.node, "asyncio")
    assert mark is not None
    if isinstance(mark, ast.Call):
        given = _keyword(mark, "loop_scope")
        if given is None or given.arg is None or len(mark.keywords) != 1:
            raise ImpossibleError
        draft.expect(given)
        draft.span(draft.source.start(given), draft.source.start(given) + len(given.arg), "scope")
    else:
        draft.insert(draft.source.end(mark), f'({HERE}scope="module")')


# -- AT209 to AT212 ----------------------------------------------------------------------------------------------------


TASK_SCOPES = (
    ("async with", "asyncio.TaskGroup", "()"),
    ("async with", "asyncio.timeout", "(10)"),
    ("async with", "anyio.create_task_group", "()"),
    ("with", "anyio.fail_after", "(10)"),
    ("with", "anyio.move_on_after", "(10)"),
)


def _yields_and_task_scopes(reading: Reading) -> Iterator[tuple[Fixture, tuple[str, str, str]]]:
    for fixture in sites.yielding_async_fixtures(reading):
        for task_scope in TASK_SCOPES:
            yield fixture, task_scope


@mutator("AT209", _yields_and_task_scopes)
def yield_inside_a_task_scope(draft: Draft, site: tuple[Fixture, tuple[str, str, str]]) -> None:
    """Put a task group, a cancel scope or a timeout around the `yield` of an async fixture."""
    fixture, (keyword, scope, arguments) = site
    statement = draft.reading.the_yield(fixture.node)
    assert statement is not None
    if not draft.reading.runs_on_asyncio(fixture):
        draft.doubt_because("the runner of the fixture is not known")
    draft.wrap(statement, statement, f"{HERE}{keyword} {draft.name(scope)}{arguments}:")


def _anyio_fixtures(reading: Reading) -> Iterator[Fixture]:
    for fixture in sites.async_fixtures(reading):
        if (
            fixture.library == "pytest"
            and _literal_scope(fixture) in ("function", "module")
            and any(each.arg == "anyio_backend" for each in reading.parameters(fixture.node))
        ):
            yield fixture


@mutator("AT210", _anyio_fixtures)
def keep_an_anyio_fixture_for_the_session(draft: Draft, fixture: Fixture) -> None:
    """Make an async fixture of anyio wider than `anyio_backend`."""
    reading = draft.reading
    if "def anyio_backend(" in draft.source.text + reading.suite.around(reading.folder) or reading.doubt_about_runner:
        draft.doubt_because("the scope of the backend is not known")
    if reading.configuration.asyncio_mode != "strict":
        draft.doubt_because("pytest-asyncio may run it")
    draft.expect(fixture.node)
    given = _keyword(fixture.call, "scope")
    if given is not None:
        draft.replace(given.value, '"session"')
    else:
        draft.replace(fixture.decorator, _with_keyword(draft, fixture.decorator, 'scope="session"'))


@mutator("AT211", sites.yielding_async_fixtures)
def make_a_fixture_a_context_manager(draft: Draft, fixture: Fixture) -> None:
    """Put `@asynccontextmanager` between an async fixture and its decorator."""
    manager = draft.name("contextlib:asynccontextmanager")
    indent = draft.source.indent(fixture.node)
    if indent is None:
        raise ImpossibleError
    draft.insert(draft.source.line_start(fixture.node.lineno), f"{indent}@{HERE}{manager}\n")


@mutator("AT212", _requested_fixtures)
def get_an_async_fixture_by_its_name(draft: Draft, site: tuple[Test, ast.arg, Fixture]) -> None:
    """Write `request.getfixturevalue("name")` for the parameter of an async fixture."""
    test, parameter, fixture = site
    reading = draft.reading
    if not test.is_async or test.kind != "plain" or "request" in draft.source.text_of(test.node):
        raise ImpossibleError
    name = parameter.arg
    takers = [node for node in draft.source.of(ast.arg) if node.arg == name]
    tests = [each for each in reading.tests if any(name == other.arg for other in reading.parameters(each.node))]
    if (
        len(takers) != len(tests)
        or f"{name}," in reading.suite.around(reading.folder)
        or "usefixtures" in draft.source.text
    ):
        draft.doubt_because("the fixture may be there already")
    if _keyword(fixture.call, "autouse") is not None or not reading.runs_on_asyncio(fixture):
        draft.doubt_because("the fixture may be set up by others")
    draft.replace(parameter, "request")
    draft.first_in(test.node, f'{name} = {HERE}request.getfixturevalue("{name}")')
