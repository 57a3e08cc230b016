"""AT5: event loops and tasks."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.registry import mutator
from tests.mutation.source import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Fixture, Reading, Test
    from tests.mutation.source import FunctionNode

CREATE_TASK = "asyncio.create_task"


def _is_under_with(reading: Reading, node: ast.AST, *words: str) -> bool:
    """Whether a node stands in a `with` that says one of these words."""
    for each in reading.source.ancestors(node):
        if isinstance(each, (ast.With, ast.AsyncWith)):
            text = " ".join(ast.unparse(item.context_expr) for item in each.items)
            if any(word in text for word in words):
                return True
    return False


def _is_expected_to_raise(reading: Reading, node: ast.AST) -> bool:
    """Whether a test fails at once when a statement raises nothing."""
    return _is_under_with(reading, node, "raises", "Raises", "warns", "Warns")


def _is_in_finally(reading: Reading, node: ast.AST) -> bool:
    child = node
    for each in reading.source.ancestors(node):
        if isinstance(each, (ast.Try, ast.TryStar)) and child in each.finalbody:
            return True
        child = each
    return False


# -- AT501 to AT503: loops ---------------------------------------------------------------------------------------------


def _doubt_about_error(draft: Draft, node: ast.Await) -> None:
    """Somebody may await the RuntimeError, here or where the function is called."""
    outer = [each for each in draft.source.ancestors(node) if isinstance(each, FUNCTIONS)][-1]
    if any(
        word in draft.source.text_of(outer) for word in ("RuntimeError", "raises(Exception", "raises(BaseException")
    ):
        draft.doubt_because("the error may be expected")
    if "nest_asyncio" in draft.source.text:
        draft.doubt_because("a loop may be nested in another")


@mutator("AT501", sites.awaits_on_asyncio)
def run_what_was_awaited(draft: Draft, node: ast.Await) -> None:
    """Write `asyncio.run(work())` for `await work()`."""
    run = draft.name("asyncio.run")
    inner = draft.source.text_of(node.value)
    parent = draft.source.parents[node]
    if not isinstance(parent, (ast.Expr, ast.Assign, ast.Return)):
        raise ImpossibleError
    draft.replace(node, f"{HERE}{run}({inner})")
    _doubt_about_error(draft, node)


@mutator("AT501", sites.awaited_statements_on_asyncio)
def run_on_the_running_loop(draft: Draft, node: ast.Await) -> None:
    """Write `asyncio.get_running_loop().run_until_complete(work())` for `await work()`."""
    loop = draft.name("asyncio.get_running_loop")
    draft.replace(node, f"{HERE}{loop}().run_until_complete({draft.source.text_of(node.value)})")
    _doubt_about_error(draft, node)


def _runs(reading: Reading) -> Iterator[ast.Call]:
    """`asyncio.run(..)` as a statement or an assignment in a sync test or fixture."""
    for call in sites.calls_of("asyncio.run")(reading):
        function = sites.owner(reading, call)
        statement = reading.source.parents[call]
        if (
            isinstance(function, ast.FunctionDef)
            and isinstance(statement, (ast.Expr, ast.Assign))
            and (reading.is_test(function) or reading.is_fixture(function))
        ):
            yield call


@mutator("AT502", _runs)
def run_on_a_loop_made_by_hand(draft: Draft, call: ast.Call) -> None:
    """Write `loop = asyncio.new_event_loop()` and `loop.run_until_complete(..)` for `asyncio.run(..)`."""
    name = draft.new_name("loop")
    draft.before(draft.source.statement_of(call), f"{name} = {HERE}{draft.name('asyncio.new_event_loop')}()")
    draft.replace(call.func, f"{name}.run_until_complete")


@mutator("AT502", sites.sync_tests_on_asyncio)
def plant_a_loop_made_by_hand(draft: Draft, test: Test) -> None:
    """Put a new event loop into a sync test, and run a coroutine on it."""
    name, sleep = draft.new_name("planted_loop"), draft.name("asyncio.sleep")
    draft.first_in(
        test.node,
        f"{name} = {HERE}{draft.name('asyncio.new_event_loop')}()",
        f"{name}.run_until_complete({sleep}(0))",
        f"{name}.close()",
    )


@mutator("AT502", sites.sync_tests_on_asyncio)
def make_a_new_loop_current(draft: Draft, test: Test) -> None:
    """Put `asyncio.set_event_loop` of a new loop into a sync test."""
    name = draft.new_name("planted_loop")
    draft.first_in(
        test.node,
        f"{name} = {draft.name('asyncio.new_event_loop')}()",
        f"{HERE}{draft.name('asyncio.set_event_loop')}({name})",
    )


@mutator("AT503", sites.calls_of("asyncio.get_running_loop"))
def get_the_event_loop(draft: Draft, call: ast.Call) -> None:
    """Write `get_event_loop` for `get_running_loop`."""
    function = sites.owner(draft.reading, call)
    if not isinstance(function, ast.AsyncFunctionDef) or draft.reading.may_run_on_trio:
        raise ImpossibleError
    draft.replace(call.func, f"{HERE}{draft.name('asyncio.get_event_loop')}")
    if "set_event_loop(" in draft.source.text_of(function):
        draft.doubt_because("a loop is set in the function")


@mutator("AT503", sites.running_async_tests)
def plant_get_event_loop(draft: Draft, test: Test) -> None:
    """Put `loop = asyncio.get_event_loop()` into an async test."""
    name = draft.new_name("planted_loop")
    draft.first_in(test.node, f"{name} = {HERE}{draft.name('asyncio.get_event_loop')}()", f"assert {name}.is_running()")
    if "set_event_loop(" in draft.source.text_of(test.node):
        draft.doubt_because("a loop is set in the function")


@mutator("AT503", sites.sync_tests_on_asyncio)
def plant_get_event_loop_into_a_sync_test(draft: Draft, test: Test) -> None:
    """Put `loop = asyncio.get_event_loop()` into a sync test."""
    name = draft.new_name("planted_loop")
    draft.first_in(
        test.node, f"{name} = {HERE}{draft.name('asyncio.get_event_loop')}()", f"assert not {name}.is_running()"
    )
    reading = draft.reading
    if any("loop" in each.arg for each in reading.parameters(test.node)) or test.kind == "isolated":
        draft.doubt_because("a loop may be set for it")
    # What stands in a class may be collected through an heir as well, that has other bases.
    if any(kind == "unknown" and test.klass in reading.lineage(klass) for klass, kind in reading.test_classes):
        draft.doubt_because("a base of its class may set a loop")
    if "set_event_loop(" in draft.source.text + reading.suite.around(reading.folder):
        draft.doubt_because("a loop may be set for it")


# -- AT504, AT505: tasks -----------------------------------------------------------------------------------------------


def _needs_coroutine(draft: Draft, node: ast.Await) -> None:
    """A future is none: nobody would make a task of it."""
    assert isinstance(node.value, ast.Call)
    if draft.source.dotted(node.value.func) in (
        "asyncio.gather",
        "asyncio.ensure_future",
        CREATE_TASK,
        "asyncio.shield",
    ):
        raise ImpossibleError


@mutator("AT504", sites.awaited_statements_of_tests_on_asyncio)
def start_a_task_and_drop_it(draft: Draft, node: ast.Await) -> None:
    """Write `asyncio.create_task(work())` for `await work()`."""
    _needs_coroutine(draft, node)
    if _is_expected_to_raise(draft.reading, node):
        raise ImpossibleError
    draft.replace(node, f"{HERE}{draft.name(CREATE_TASK)}({draft.source.text_of(node.value)})")


@mutator("AT504", sites.awaited_statements_of_tests_on_asyncio)
def ensure_a_future_and_drop_it(draft: Draft, node: ast.Await) -> None:
    """Write `asyncio.ensure_future(work())` for `await work()`."""
    _needs_coroutine(draft, node)
    if _is_expected_to_raise(draft.reading, node):
        raise ImpossibleError
    draft.replace(node, f"{HERE}{draft.name('asyncio.ensure_future')}({draft.source.text_of(node.value)})")


def _gathers(reading: Reading) -> Iterator[ast.Await]:
    for node in sites.awaited_statements_of_tests_on_asyncio(reading):
        if isinstance(node.value, ast.Call) and reading.source.dotted(node.value.func) == "asyncio.gather":
            yield node


@mutator("AT504", _gathers)
def drop_the_await_of_a_gather(draft: Draft, node: ast.Await) -> None:
    """Drop the `await` of `asyncio.gather(..)`."""
    draft.drop_await(node)
    draft.expect(node.value)


def _awaited_statements_of_async_tests(reading: Reading) -> Iterator[ast.Await]:
    for node in sites.awaited_statements_of_tests_on_asyncio(reading):
        function = sites.owner(reading, node)
        if function is not None and reading.is_test(function):
            yield node


@mutator("AT505", _awaited_statements_of_async_tests)
def start_a_task_and_never_look_at_it(draft: Draft, node: ast.Await) -> None:
    """Write `task = asyncio.create_task(work())` for `await work()`, and nothing of the task after that."""
    _needs_coroutine(draft, node)
    name = draft.new_name("planted_task")
    draft.replace(node, f"{HERE}{name} = {draft.name(CREATE_TASK)}({draft.source.text_of(node.value)})")


def _tasks(reading: Reading) -> Iterator[tuple[ast.Assign, str, FunctionNode]]:
    """`task = asyncio.create_task(..)` in a test, the only binding of the name there."""
    for call in sites.calls_of(CREATE_TASK)(reading) if not reading.may_run_on_trio else ():
        statement = reading.source.parents[call]
        function = sites.owner(reading, call)
        if not isinstance(statement, ast.Assign) or function is None or len(statement.targets) != 1:
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            stores = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Name) and node.id == target.id and not isinstance(node.ctx, ast.Load)
            ]
            if len(stores) == 1:
                yield statement, target.id, function


def _loads(reading: Reading, function: FunctionNode, name: str) -> list[ast.Name]:
    found = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    return sorted(found, key=reading.source.start)


def _awaited_tasks(reading: Reading) -> Iterator[tuple[ast.Assign, ast.Expr]]:
    """The tasks of tests that are looked at just once, by `await task`."""
    for statement, name, function in _tasks(reading):
        loads = _loads(reading, function, name)
        if reading.is_test(function) and len(loads) == 1 and isinstance(reading.source.parents[loads[0]], ast.Await):
            parent = reading.source.parents[reading.source.parents[loads[0]]]
            if isinstance(parent, ast.Expr) and not name.startswith("_"):
                yield statement, parent


@mutator("AT505", _awaited_tasks)
def drop_the_await_of_a_task(draft: Draft, site: tuple[ast.Assign, ast.Expr]) -> None:
    """Take `await task` out of a test, the only thing that looks at the task."""
    statement, awaited = site
    draft.expect(statement)
    draft.remove(awaited)


# -- AT506, AT507: assertions ------------------------------------------------------------------------------------------


def _last_assertions(reading: Reading) -> Iterator[tuple[Test, ast.Assert]]:
    for test in sites.running_async_tests(reading):
        last = test.node.body[-1]
        # One that cannot fail, `assert True`, is not lost wherever it stands.
        if not isinstance(last, ast.Assert) or isinstance(last.test, ast.Constant):
            continue
        if not any(isinstance(node, ast.Await) for node in ast.walk(last)):
            yield test, last


def _move_into_callback(draft: Draft, last: ast.Assert, *lines: str) -> None:
    name = draft.new_name("check_later")
    draft.expect(last)
    draft.wrap(last, last, f"def {name}(*_):")
    draft.after(last, *lines)


@mutator("AT506", _last_assertions)
def assert_in_a_callback_of_the_loop(draft: Draft, site: tuple[Test, ast.Assert]) -> None:
    """Move the last assertion of a test into a callback for `loop.call_soon`."""
    _move_into_callback(draft, site[1], f"{draft.name('asyncio.get_running_loop')}().call_soon(check_later)")


@mutator("AT506", _last_assertions)
def assert_in_a_callback_of_a_task(draft: Draft, site: tuple[Test, ast.Assert]) -> None:
    """Move the last assertion of a test into a task's `add_done_callback`."""
    task, sleep = f"{draft.name(CREATE_TASK)}", draft.name("asyncio.sleep")
    name = draft.new_name("planted_task")
    _move_into_callback(
        draft, site[1], f"{name} = {task}({sleep}(0))", f"{name}.add_done_callback(check_later)", f"await {name}"
    )


@mutator("AT506", _last_assertions)
def assert_in_a_thread(draft: Draft, site: tuple[Test, ast.Assert]) -> None:
    """Move the last assertion of a test into a thread."""
    _move_into_callback(draft, site[1], f"{draft.name('threading.Thread')}(target=check_later).start()")
    if "error" in draft.reading.configuration.options.get("filterwarnings", ""):
        draft.doubt_because("pytest makes a failure of it")


def _started_tasks(reading: Reading) -> Iterator[tuple[ast.Assign, str, FunctionNode]]:
    for statement, name, function in _tasks(reading):
        if reading.is_test(function):
            yield statement, name, function


@mutator("AT507", _started_tasks)
def assert_that_a_task_is_done_at_once(draft: Draft, site: tuple[ast.Assign, str, FunctionNode]) -> None:
    """Put `assert task.done()` right behind the start of a task."""
    statement, name, _ = site
    draft.after(statement, f"{HERE}assert {name}.done()")


def _cancelled_tasks(reading: Reading) -> Iterator[tuple[ast.Expr, str]]:
    for _, name, function in _started_tasks(reading):
        for node in reading.source.own_of(function, ast.Expr):
            if ast.unparse(node) == f"{name}.cancel()":
                yield node, name


@mutator("AT507", _cancelled_tasks)
def assert_that_a_task_is_cancelled_at_once(draft: Draft, site: tuple[ast.Expr, str]) -> None:
    """Put `assert task.cancelled()` right behind `task.cancel()`."""
    statement, name = site
    draft.after(statement, f"{HERE}assert {name}.cancelled()")
    function = sites.owner(draft.reading, statement)
    assert function is not None
    for load in _loads(draft.reading, function, name):
        if load.lineno < statement.lineno and not isinstance(draft.source.parents[load], ast.Attribute):
            draft.doubt_because("somebody may have waited for the task")


# -- AT508, AT509 ------------------------------------------------------------------------------------------------------


@mutator("AT508", sites.yielding_async_fixtures)
def leave_a_task_running(draft: Draft, fixture: Fixture) -> None:
    """Start a task in a fixture before its `yield`, and never end it."""
    statement = draft.reading.the_yield(fixture.node)
    assert statement is not None
    name, create_task = draft.new_name("planted_task"), draft.name(CREATE_TASK)
    draft.before(
        statement, f"{name} = {HERE}{create_task}({draft.name('asyncio.sleep')}(60))", f"assert not {name}.done()"
    )


def _tasks_of_fixtures(reading: Reading) -> Iterator[tuple[ast.Assign, list[ast.stmt]]]:
    """The tasks that a fixture ends after its yield, and the statements that do that."""
    for statement, name, function in _tasks(reading):
        fixture = next((each for each in reading.fixtures if each.node is function), None)
        yielded = reading.the_yield(function) if fixture is not None else None
        if yielded is None or yielded.lineno < statement.lineno:
            continue
        uses = []
        for load in _loads(reading, function, name):
            statements = [each for each in reading.source.ancestors(load) if isinstance(each, ast.stmt)]
            uses.append(statements[list(statements).index(function) - 1])
        if uses and all(use.lineno > yielded.lineno and yielded in function.body for use in uses):
            yield statement, list(dict.fromkeys(uses))


@mutator("AT508", _tasks_of_fixtures)
def never_end_the_task_of_a_fixture(draft: Draft, site: tuple[ast.Assign, list[ast.stmt]]) -> None:
    """Take what ends a fixture's task out of it."""
    statement, uses = site
    draft.expect(statement.value)
    names = {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)} - set(draft.source.imported)
    function = sites.owner(draft.reading, statement)
    assert function is not None
    for name in names:
        if any(load.lineno > uses[0].lineno - 2 for load in _loads(draft.reading, function, name)):
            draft.doubt_because("what the task was made from may end it")
    for use in uses:
        draft.remove(use)


def _endless_loops(reading: Reading) -> Iterator[ast.While]:
    """`while True` in a coroutine, with an await in its body and no `try` around it."""
    for loop in reading.source.of(ast.While):
        function = sites.owner(reading, loop)
        is_endless = isinstance(loop.test, ast.Constant) and loop.test.value is True
        if not is_endless or not isinstance(function, ast.AsyncFunctionDef):
            continue
        if any(isinstance(node, ast.Await) for each in loop.body for node in ast.walk(each)) and not any(
            isinstance(node, (ast.Try, ast.Return, ast.Break)) for node in ast.walk(loop)
        ):
            yield loop


@mutator("AT509", _endless_loops)
def swallow_the_cancellation_of_a_loop(draft: Draft, loop: ast.While) -> None:
    """Put `try` and `except asyncio.CancelledError: pass` around the body of an endless loop."""
    first, last = loop.body[0], loop.body[-1]
    draft.wrap(first, last, "try:")
    draft.after(last, f"{HERE}except {draft.name('asyncio.CancelledError')}:", "    pass")


@mutator("AT509", sites.running_async_tests)
def plant_a_worker_that_cannot_be_cancelled(draft: Draft, test: Test) -> None:
    """Put a worker into an async test whose loop goes on after a cancellation."""
    name, sleep = draft.new_name("planted_worker"), draft.name("asyncio.sleep")
    draft.first_in(
        test.node,
        f"async def {name}():",
        "    while True:",
        "        try:",
        f"            await {sleep}(0)",
        f"        {HERE}except {draft.name('asyncio.CancelledError')}:",
        "            pass",
    )


def _reraising_handlers(reading: Reading) -> Iterator[ast.ExceptHandler]:
    """`except asyncio.CancelledError:` with `raise`, `break` or `return` and nothing else, in an endless loop."""
    for handler in reading.source.of(ast.ExceptHandler):
        if reading.source.dotted(handler.type) != "asyncio.CancelledError" or len(handler.body) != 1:
            continue
        only = handler.body[0]
        ends = isinstance(only, ast.Break) or (isinstance(only, ast.Return) and only.value is None)
        outer = next(
            (each for each in reading.source.ancestors(handler) if isinstance(each, (ast.While, ast.For))), None
        )
        raises = isinstance(only, ast.Raise) and only.exc is None
        if ((ends or raises) and isinstance(outer, ast.While) and isinstance(outer.test, ast.Constant)) and sites.owner(
            reading, handler
        ) is sites.owner(reading, outer):
            yield handler


@mutator("AT509", _reraising_handlers)
def go_on_after_a_cancellation(draft: Draft, handler: ast.ExceptHandler) -> None:
    """Write `pass` for the `raise`, `break` or `return` of a handler of `CancelledError` in an endless loop."""
    draft.expect(handler)
    draft.replace(handler.body[0], "pass")
    outer = next(each for each in draft.source.ancestors(handler) if isinstance(each, (ast.Try, ast.TryStar)))
    if outer.handlers[0] is not handler or outer.finalbody or not isinstance(draft.source.parents[outer], ast.While):
        draft.doubt_because("others may end the loop")


# -- AT510 to AT513 ----------------------------------------------------------------------------------------------------


def _is_after_cancel(draft: Draft, node: ast.Await) -> bool:
    function = sites.owner(draft.reading, node)
    assert function is not None
    text = draft.source.text[draft.source.start(function) : draft.source.start(node)]
    return ".cancel(" in text or _is_in_finally(draft.reading, node)


def _gathers_of_calls(reading: Reading) -> Iterator[ast.Await]:
    """`await asyncio.gather(a(), b())` as a statement in a test."""
    for node in _gathers(reading):
        function = sites.owner(reading, node)
        assert isinstance(node.value, ast.Call)
        calls = [each for each in node.value.args if isinstance(each, ast.Call)]
        if (
            function is not None
            and reading.is_test(function)
            and not node.value.keywords
            and calls
            and len(calls) == len(node.value.args)
        ):
            yield node


@mutator("AT510", _gathers_of_calls)
def let_a_gather_return_exceptions(draft: Draft, node: ast.Await) -> None:
    """Add `return_exceptions=True` to a `gather` whose results are dropped."""
    call = node.value
    assert isinstance(call, ast.Call)
    draft.expect(node)
    draft.insert(draft.source.end(call.args[-1]), ", return_exceptions=True")
    for argument in call.args:
        draft.doubt_because(draft.reading.doubt_about_coroutine(argument))
    if _is_after_cancel(draft, node):
        draft.doubt_because("tasks are drained")


@mutator("AT511", _gathers_of_calls)
def wait_and_drop_the_results(draft: Draft, node: ast.Await) -> None:
    """Write `asyncio.wait` of tasks for a `gather`, and never look at the tasks."""
    call = node.value
    assert isinstance(call, ast.Call)
    create_task, wait = draft.name(CREATE_TASK), draft.name("asyncio.wait")
    tasks = ", ".join(f"{create_task}({draft.source.text_of(each)})" for each in call.args)
    draft.replace(node, f"{HERE}await {wait}([{tasks}])")
    if _is_after_cancel(draft, node):
        draft.doubt_because("tasks are drained")


@mutator("AT511", sites.running_async_tests)
def plant_a_wait(draft: Draft, test: Test) -> None:
    """Put `done, pending = await asyncio.wait(..)` into an async test, and count what is done."""
    create_task, sleep = draft.name(CREATE_TASK), draft.name("asyncio.sleep")
    done, pending = draft.new_name("planted_done"), draft.new_name("planted_pending")
    draft.first_in(
        test.node,
        f"{done}, {pending} = {HERE}await {draft.name('asyncio.wait')}([{create_task}({sleep}(0))])",
        f"assert len({done}) == 1",
    )


@mutator("AT512", sites.file)
def set_a_policy(draft: Draft, _: Reading) -> None:
    """Put `asyncio.set_event_loop_policy(..)` into a test file."""
    policy = draft.name("asyncio.DefaultEventLoopPolicy")
    draft.at_the_end(f"{HERE}{draft.name('asyncio.set_event_loop_policy')}({policy}())")


WITHOUT_LOOP = ("asyncio.sleep", "asyncio.wait_for", "asyncio.wait", "asyncio.gather", "asyncio.shield")
PRIMITIVES = ("asyncio.Lock", "asyncio.Event", "asyncio.Condition", "asyncio.Semaphore", "asyncio.Queue")


@mutator("AT513", sites.calls_of(*WITHOUT_LOOP, *PRIMITIVES))
def pass_the_loop(draft: Draft, call: ast.Call) -> None:
    """Pass `loop=` to a function or a primitive of asyncio."""
    if "version_info" in draft.source.text or draft.reading.may_run_on_trio:
        draft.doubt_because("it may be for an old Python, or not for asyncio")
    close = draft.source.end(call) - 1
    before = draft.source.text[draft.source.end(call.func) : close].rstrip()
    separator = "" if before == "(" else " " if before.endswith(",") else ", "
    if before.endswith("\n") or "#" in before or "for" in before.split():
        raise ImpossibleError
    draft.insert(close, f"{separator}{HERE}loop=None")


@mutator("AT513", sites.file)
def import_asynctest(draft: Draft, _: Reading) -> None:
    """Put `import asynctest` into a test file."""
    draft.new_name("asynctest")
    draft.above_definitions(f"{HERE}import asynctest")


@mutator("AT513", sites.calls_of("inspect.iscoroutinefunction"))
def ask_asyncio_for_coroutine_functions(draft: Draft, call: ast.Call) -> None:
    """Write `asyncio.iscoroutinefunction` for `inspect.iscoroutinefunction`."""
    draft.replace(call.func, f"{HERE}{draft.name('asyncio.iscoroutinefunction')}")
