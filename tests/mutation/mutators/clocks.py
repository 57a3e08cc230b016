"""AT6: sleeps, clocks and timeouts."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.registry import mutator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Fixture, Reading, Test

SLEEPS = ("asyncio.sleep", "anyio.sleep", "trio.sleep")
TIMEOUT_WORDS = ("timeout", "fail_after", "move_on_after", "wait_for")


def _awaited_sleeps(reading: Reading) -> Iterator[ast.Await]:
    for node in sites.awaited_statements(reading):
        if isinstance(node.value, ast.Call) and reading.source.dotted(node.value.func) in SLEEPS:
            yield node


def is_tampered_with(reading: Reading) -> str:
    """Why sleeps and clocks of a file may not be what they are."""
    text = reading.source.text + reading.suite.around(reading.folder)
    if re.search(r"setattr\(.*\btime\b|patch.*\btime\b", text):
        return "sleeps or clocks may be patched"
    if re.search(r"(?i)mock_?clock|autojump", text):
        return "sleeps or clocks may be patched"
    words = ("sleep", "freeze", "travel", "time_machine", "autojump", "fake_")
    if ("patch" in text or "setattr" in text or "freeze" in text or "travel" in text) and any(
        word in text for word in words
    ):
        return "sleeps or clocks may be patched"
    return ""


def _is_under_timeout(reading: Reading, node: ast.AST) -> bool:
    for each in reading.source.ancestors(node):
        if isinstance(each, (ast.With, ast.AsyncWith)):
            text = " ".join(ast.unparse(item.context_expr) for item in each.items)
            if any(word in text for word in TIMEOUT_WORDS):
                return True
    return False


# -- AT601, AT602 ------------------------------------------------------------------------------------------------------


@mutator("AT601", _awaited_sleeps)
def block_in_place_of_sleeping(draft: Draft, node: ast.Await) -> None:
    """Write `time.sleep` for `await asyncio.sleep`."""
    call = node.value
    assert isinstance(call, ast.Call)
    if not call.args or (isinstance(call.args[0], ast.Constant) and not call.args[0].value):
        # That blocks nothing.
        raise ImpossibleError
    draft.drop_await(node)
    draft.replace(call.func, f"{HERE}{draft.name('time.sleep')}")
    if "time.sleep" in draft.source.text and "patch" in draft.source.text:
        draft.doubt_because("it may be patched")


@mutator("AT601", sites.async_fixtures)
def block_in_a_fixture(draft: Draft, fixture: Fixture) -> None:
    """Put `time.sleep` into an async fixture."""
    draft.first_in(fixture.node, f"{HERE}{draft.name('time.sleep')}(0.1)")
    if "time.sleep" in draft.source.text and "patch" in draft.source.text:
        draft.doubt_because("it may be patched")


def _direct_sleeps(reading: Reading) -> Iterator[ast.Await]:
    """The sleeps that stand directly in a test or a fixture."""
    for node in _awaited_sleeps(reading):
        function = sites.owner(reading, node)
        if function is not None and (reading.is_test(function) or reading.is_fixture(function)):
            yield node


@mutator("AT602", _direct_sleeps)
def sleep_longer(draft: Draft, node: ast.Await) -> None:
    """Sleep two seconds where a test slept for less."""
    call = node.value
    assert isinstance(call, ast.Call)
    if len(call.args) != 1:
        raise ImpossibleError
    draft.expect(call)
    draft.replace(call.args[0], "2")
    draft.doubt_because(is_tampered_with(draft.reading))
    if _is_under_timeout(draft.reading, node) or "CancelScope" in draft.source.text:
        draft.doubt_because("a timeout or a cancelled scope is around it")
    for each in draft.source.ancestors(node):
        if isinstance(each, (ast.With, ast.AsyncWith)) and "aises" in ast.unparse(each.items[0].context_expr):
            draft.doubt_because("what is expected may come before its end")


@mutator("AT602", sites.running_async_tests)
def plant_a_long_sleep(draft: Draft, test: Test) -> None:
    """Put a sleep of 1.5 seconds into an async test."""
    draft.first_in(test.node, f"await {HERE}{draft.name('asyncio.sleep')}(1.5)")
    draft.doubt_because(is_tampered_with(draft.reading))


# -- AT603 -------------------------------------------------------------------------------------------------------------

CLOCKS = ("time.monotonic", "time.perf_counter", "time.time")


def _tests_and_clocks(reading: Reading) -> Iterator[tuple[Test, str]]:
    for number, test in enumerate(sites.running_async_tests(reading)):
        yield test, CLOCKS[number % len(CLOCKS)]


@mutator("AT603", _tests_and_clocks)
def assert_that_a_test_was_fast(draft: Draft, site: tuple[Test, str]) -> None:
    """Read a clock at the beginning of a test, and assert at the end that little time has passed."""
    test, clock = site
    name, read = draft.new_name("planted_start"), draft.name(clock)
    if any(isinstance(node, ast.Return) for node in draft.source.own(test.node)):
        raise ImpossibleError
    draft.first_in(test.node, f"{name} = {read}()")
    draft.last_in(test.node, f"{HERE}assert {read}() - {name} < 0.5")
    draft.doubt_because(is_tampered_with(draft.reading))


@mutator("AT603", _tests_and_clocks)
def assert_a_measured_duration(draft: Draft, site: tuple[Test, str]) -> None:
    """The same by way of a name for the difference."""
    test, clock = site
    name, read = draft.new_name("planted_start"), draft.name(clock)
    if any(isinstance(node, ast.Return) for node in draft.source.own(test.node)):
        raise ImpossibleError
    elapsed = draft.new_name("planted_elapsed")
    draft.first_in(test.node, f"{name} = {read}()")
    draft.last_in(test.node, f"{elapsed} = {read}() - {name}", f"{HERE}assert {elapsed} <= 1.0")
    draft.doubt_because(is_tampered_with(draft.reading))


# -- AT604, AT605 ------------------------------------------------------------------------------------------------------


def _last_awaits_with_timeout(reading: Reading) -> Iterator[ast.stmt]:
    """`await asyncio.wait_for(..)` as the last statement of a test."""
    for test in sites.running_async_tests(reading):
        last = test.node.body[-1]
        if (
            isinstance(last, ast.Expr)
            and isinstance(last.value, ast.Await)
            and isinstance(last.value.value, ast.Call)
            and reading.source.dotted(last.value.value.func) == "asyncio.wait_for"
        ):
            yield last


@mutator("AT604", _last_awaits_with_timeout)
def swallow_a_timeout(draft: Draft, last: ast.stmt) -> None:
    """Put `try` and `except asyncio.TimeoutError: pass` around an await under a timeout."""
    draft.wrap(last, last, "try:")
    draft.after(last, f"{HERE}except {draft.name('asyncio.TimeoutError')}:", "    pass")
    _doubt_about_cancelled(draft, last)


def _doubt_about_cancelled(draft: Draft, statement: ast.stmt) -> None:
    function = sites.owner(draft.reading, statement)
    assert function is not None
    if ".cancel()" in draft.source.text_of(function):
        draft.doubt_because("something is cancelled before")


@mutator("AT604", _last_awaits_with_timeout)
def suppress_a_timeout(draft: Draft, last: ast.stmt) -> None:
    """Put `contextlib.suppress(TimeoutError)` around an await under a timeout."""
    draft.wrap(last, last, f"with {HERE}{draft.name('contextlib.suppress')}(TimeoutError):")
    _doubt_about_cancelled(draft, last)


def _last_assertions(reading: Reading) -> Iterator[ast.stmt]:
    for test in sites.running_async_tests(reading):
        last = test.node.body[-1]
        if isinstance(last, ast.Assert):
            yield last


@mutator("AT604", _last_assertions)
def swallow_a_failed_assertion(draft: Draft, last: ast.stmt) -> None:
    """Put `try` and `except Exception: pass` around the last assertion of a test."""
    draft.wrap(last, last, "try:")
    draft.after(last, f"{HERE}except Exception:", "    pass")
    if draft.source.bindings["Exception"]:
        raise ImpossibleError


@mutator("AT605", sites.running_async_tests)
def plant_a_timeout_that_nobody_enters(draft: Draft, test: Test) -> None:
    """Put `asyncio.timeout(5)` as a statement into an async test."""
    draft.first_in(test.node, f"{HERE}{draft.name('asyncio.timeout')}(5)")


def _entered_timeouts(reading: Reading) -> Iterator[tuple[ast.AsyncWith | ast.With, ast.Call]]:
    blocks: list[ast.AsyncWith | ast.With] = [*reading.source.of(ast.AsyncWith), *reading.source.of(ast.With)]
    for block in blocks:
        call = block.items[0].context_expr
        if len(block.items) == 1 and isinstance(call, ast.Call) and block.items[0].optional_vars is None:
            names = ["asyncio.timeout", "asyncio.timeout_at"]
            if isinstance(block, ast.With):
                names = ["anyio.fail_after", "anyio.move_on_after"]
            if reading.source.dotted(call.func) in names:
                yield block, call


@mutator("AT605", _entered_timeouts)
def enter_a_timeout_by_a_plain_with(draft: Draft, site: tuple[ast.AsyncWith | ast.With, ast.Call]) -> None:
    """Write `with` for the `async with` of `asyncio.timeout`."""
    block, call = site
    if isinstance(block, ast.With):
        raise ImpossibleError
    start = draft.source.start(block)
    draft.span(start, draft.source.text.index("with", start), "")
    draft.expect(call)


def _leave_expected_alone(draft: Draft, block: ast.AsyncWith | ast.With) -> None:
    """Where the timeout is awaited, a test without one fails at once."""
    for each in draft.source.ancestors(block):
        if isinstance(each, (ast.With, ast.AsyncWith)) and "aises" in ast.unparse(each.items[0].context_expr):
            raise ImpossibleError


@mutator("AT605", _entered_timeouts)
def never_enter_a_timeout(draft: Draft, site: tuple[ast.AsyncWith | ast.With, ast.Call]) -> None:
    """Take the block away from a timeout and leave the call."""
    block, call = site
    _leave_expected_alone(draft, block)
    draft.unwrap(block, f"{HERE}{draft.source.text_of(call)}")


@mutator("AT605", _entered_timeouts)
def assign_a_timeout_and_never_enter_it(draft: Draft, site: tuple[ast.AsyncWith | ast.With, ast.Call]) -> None:
    """Take the block away from a timeout and give it to a name."""
    block, call = site
    _leave_expected_alone(draft, block)
    draft.unwrap(block, f"{draft.new_name('planted_limit')} = {HERE}{draft.source.text_of(call)}")


# -- AT606, AT607 ------------------------------------------------------------------------------------------------------


def _polling_loops(reading: Reading) -> Iterator[ast.While]:
    """`while not done: await asyncio.sleep(..)` in a test or in a coroutine that is nested in one."""
    for loop in reading.source.of(ast.While):
        function = sites.owner(reading, loop)
        if function is None or not reading.is_test(function) or isinstance(loop.test, ast.Constant):
            continue
        if any(
            isinstance(node, ast.Call) and reading.source.dotted(node.func) == "asyncio.sleep"
            for node in ast.walk(loop)
        ):
            yield loop


@mutator("AT606", _polling_loops)
def patch_sleep_around_a_polling_loop(draft: Draft, loop: ast.While) -> None:
    """Put a patch of `asyncio.sleep` by an AsyncMock around a loop that polls."""
    patch, mock = draft.name("unittest.mock:patch"), draft.name("unittest.mock:AsyncMock")
    draft.wrap(loop, loop, f'with {HERE}{patch}("asyncio.sleep", {mock}()):')
    if any(isinstance(node, (ast.Break, ast.Return, ast.Raise)) for node in ast.walk(loop)) or _counts(loop):
        draft.doubt_because("the loop may have an end of its own")


def _counts(loop: ast.While) -> bool:
    """Whether a loop counts what it waits, or looks at a clock: it does not spin for ever."""
    asked = {node.id for node in ast.walk(loop.test) if isinstance(node, ast.Name)}
    return ".time(" in ast.unparse(loop.test) or any(
        isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in asked
        for node in ast.walk(loop)
    )


@mutator("AT606", sites.running_async_tests)
def patch_sleep_and_poll(draft: Draft, test: Test) -> None:
    """Put a polling loop under a patched sleep into an async test."""
    patch, mock, sleep = (
        draft.name("unittest.mock:patch"),
        draft.name("unittest.mock:AsyncMock"),
        draft.name("asyncio.sleep"),
    )
    name = draft.new_name("planted_orders")
    draft.first_in(
        test.node,
        f"{name} = []",
        f'with {HERE}{patch}("asyncio.sleep", new={mock}()):',
        f"    while not {name}:",
        f"        await {sleep}(0.1)",
    )


@mutator("AT606", sites.file)
def patch_sleep_for_every_test(draft: Draft, _: Reading) -> None:
    """Put an autouse fixture that patches `asyncio.sleep` into a test file."""
    name = draft.new_name("planted_no_sleep")
    fixture, mock = draft.name("pytest.fixture"), draft.name("unittest.mock:AsyncMock")
    draft.at_the_end(
        f"@{fixture}(autouse=True)",
        f"def {name}(monkeypatch):",
        f'    {HERE}monkeypatch.setattr("asyncio.sleep", {mock}())',
    )


def _tests_that_sleep(reading: Reading) -> Iterator[Test]:
    """The tests that certainly sleep for more than 0."""
    for test in sites.running_async_tests(reading):
        for node in _direct_sleeps(reading):
            call = node.value
            assert isinstance(call, ast.Call)
            is_long = len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value
            if (
                sites.owner(reading, node) is test.node
                and is_long
                and reading.source.dotted(call.func) == "asyncio.sleep"
            ):
                yield test
                break


@mutator("AT607", _tests_that_sleep)
def freeze_the_clock_of_a_test(draft: Draft, test: Test) -> None:
    """Put `@freeze_time(..)` over an async test that sleeps."""
    draft.before(test.node, f'@{HERE}{draft.name("freezegun:freeze_time")}("2026-01-01")')
    draft.doubt_because(is_tampered_with(draft.reading))


@mutator("AT607", sites.running_async_tests)
def freeze_the_clock_of_a_block(draft: Draft, test: Test) -> None:
    """Put a sleep under `freeze_time` into an async test."""
    sleep = draft.name("asyncio.sleep")
    draft.first_in(
        test.node, f'with {HERE}{draft.name("freezegun:freeze_time")}("2026-01-01"):', f"    await {sleep}(0.1)"
    )
    draft.doubt_because(is_tampered_with(draft.reading))
