"""AT1: tests and hooks that never run."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.registry import mutator
from tests.mutation.reading import ISOLATED
from tests.mutation.source import FUNCTIONS, names_bound_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Fixture, Reading, Test
    from tests.mutation.source import FunctionNode

XUNIT_METHODS = ("setup_method", "teardown_method", "setup_class", "teardown_class")
XUNIT_FUNCTIONS = ("setup_module", "teardown_module", "setup_function", "teardown_function")
UNITTEST_METHODS = ("setUp", "tearDown", "setUpClass", "tearDownClass")


# -- AT101 -------------------------------------------------------------------------------------------------------------


def _runs_by_mark_alone(reading: Reading, test: Test) -> str:
    """Why it is open whether a test runs without its marks; "" when nobody runs it then."""
    if reading.configuration.asyncio_mode != "strict":
        return "the mode is not strict"
    if reading.doubt_about_runner:
        return reading.doubt_about_runner
    if "anyio" in reading.source.text + reading.suite.around(reading.folder):
        return "anyio may run it"
    if not all(reading.is_plain_fixture(each.arg, test.node) for each in reading.parameters(test.node)):
        return "a fixture is not in sight"
    return ""


@mutator("AT101", sites.marked_tests)
def drop_the_mark(draft: Draft, test: Test) -> None:
    """Drop `@pytest.mark.asyncio` of a test."""
    reading = draft.reading
    mark = reading.own_mark(test.node, "asyncio")
    assert mark is not None
    marks = reading.marks_of(test)
    draft.remove_decorator(mark)
    draft.expect(test.node)
    draft.doubt_because(_runs_by_mark_alone(reading, test))
    if marks is None or len(_asyncio_marks(reading)) > len(list(sites.marked_tests(reading))):
        draft.doubt_because("another mark may be there")
    if marks is not None and marks & {"anyio", "trio", "skip"}:
        raise ImpossibleError


def _asyncio_marks(reading: Reading) -> list[ast.Attribute]:
    return [node for node in reading.source.of(ast.Attribute) if reading.source.dotted(node) == "pytest.mark.asyncio"]


def _module_marks(reading: Reading) -> Iterator[tuple[ast.Assign, Test]]:
    """The module's `pytestmark = pytest.mark.asyncio`, with each test that has no other."""
    for statement in reading.source.tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            mark = statement.value.func if isinstance(statement.value, ast.Call) else statement.value
            if reading.source.dotted(mark) == "pytest.mark.asyncio":
                for test in reading.async_tests:
                    if test.kind == "plain":
                        yield statement, test


@mutator("AT101", _module_marks)
def drop_the_mark_of_the_module(draft: Draft, site: tuple[ast.Assign, Test]) -> None:
    """Drop `pytestmark = pytest.mark.asyncio`."""
    statement, test = site
    draft.remove(statement)
    draft.expect(test.node)
    draft.doubt_because(_runs_by_mark_alone(draft.reading, test))
    if len(_asyncio_marks(draft.reading)) > 1 or draft.reading.marks_of(test) is None:
        draft.doubt_because("another mark may be there")
    if (draft.reading.marks_of(test) or set()) & {"anyio", "trio", "skip"}:
        raise ImpossibleError


# -- AT102, AT105: unittest --------------------------------------------------------------------------------------------


def _isolated_classes(reading: Reading) -> Iterator[tuple[ast.ClassDef, ast.expr]]:
    for klass, kind in reading.test_classes:
        if kind == "isolated" and len(klass.bases) == 1 and reading.source.dotted(klass.bases[0]) == ISOLATED:
            yield klass, klass.bases[0]


def _make_plain(draft: Draft, base: ast.expr) -> None:
    """`IsolatedAsyncioTestCase` becomes `TestCase`."""
    draft.replace(base, draft.name("unittest.TestCase" if isinstance(base, ast.Attribute) else "unittest:TestCase"))


def _isolated_tests(reading: Reading) -> Iterator[tuple[Test, ast.expr]]:
    bases = dict(_isolated_classes(reading))
    for test in reading.async_tests:
        if test.klass in bases:
            yield test, bases[test.klass]


@mutator("AT102", _isolated_tests)
def make_the_class_a_plain_testcase(draft: Draft, site: tuple[Test, ast.expr]) -> None:
    """Write TestCase for IsolatedAsyncioTestCase."""
    test, base = site
    _make_plain(draft, base)
    draft.expect(test.node)
    if any("anyio" in ast.unparse(each) for each in test.node.decorator_list) or "anyio" in draft.source.text:
        draft.doubt_because("anyio may run it")


def _hooks_of_isolated(reading: Reading) -> Iterator[tuple[ast.AsyncFunctionDef, ast.expr]]:
    for klass, base in _isolated_classes(reading):
        for node in klass.body:
            if isinstance(node, ast.AsyncFunctionDef) and node.name in ("asyncSetUp", "asyncTearDown"):
                yield node, base


@mutator("AT105", _hooks_of_isolated)
def leave_an_async_hook_in_a_plain_testcase(draft: Draft, site: tuple[ast.AsyncFunctionDef, ast.expr]) -> None:
    """Write TestCase for IsolatedAsyncioTestCase, above `asyncSetUp` or `asyncTearDown`."""
    hook, base = site
    _make_plain(draft, base)
    draft.expect(hook)


@mutator("AT105", _hooks_of_isolated)
def make_an_async_hook_sync(draft: Draft, site: tuple[ast.AsyncFunctionDef, ast.expr]) -> None:
    """Drop the `async` of `asyncSetUp`, and each `await` in it."""
    hook, _ = site
    for node in draft.source.own_of(hook, ast.Await):
        draft.drop_await(node)
    draft.expect(hook)
    start = draft.source.start(hook)
    draft.span(start, draft.source.text.index("def", start), "")


def _test_cases(reading: Reading) -> Iterator[tuple[ast.ClassDef, str]]:
    for klass, kind in reading.test_classes:
        if kind in ("testcase", "isolated"):
            yield klass, kind


@mutator("AT105", _test_cases)
def plant_a_hook_that_does_not_exist(draft: Draft, site: tuple[ast.ClassDef, str]) -> None:
    """Put `async def asyncSetUpClass` into a TestCase."""
    klass, _ = site
    draft.new_name("asyncSetUpClass")
    draft.last_in(klass, "", "@classmethod", f"{HERE}async def asyncSetUpClass(cls):", "    cls.is_ready = True")


# -- AT103 -------------------------------------------------------------------------------------------------------------


@mutator("AT103", sites.async_tests)
def plant_a_yield(draft: Draft, test: Test) -> None:
    """Put a `yield` at the end of an async test."""
    runner = draft.reading.runner(test)
    if runner in ("anyio", "nobody", "trio"):
        raise ImpossibleError
    draft.doubt_because("" if runner else "the runner is not known")
    draft.last_in(test.node, f"{HERE}yield")


# -- AT104 -------------------------------------------------------------------------------------------------------------


@mutator("AT104", _hooks_of_isolated)
def name_an_async_hook_as_the_sync_one(draft: Draft, site: tuple[ast.AsyncFunctionDef, ast.expr]) -> None:
    """Write `async def setUp` for `asyncSetUp`."""
    hook, _ = site
    new = {"asyncSetUp": "setUp", "asyncTearDown": "tearDown"}[hook.name]
    klass = draft.source.class_of(hook)
    assert klass is not None
    if any(new in names_bound_by(each) for each in klass.body):
        raise ImpossibleError
    draft.expect(hook)
    start = draft.source.text.index(hook.name, draft.source.start(hook))
    draft.span(start, start + len(hook.name), new)
    for node in draft.source.own_of(hook, ast.Attribute):
        if node.attr == hook.name and ast.unparse(node.value) == "super()":
            draft.span(draft.source.end(node) - len(node.attr), draft.source.end(node), new)


def _sync_hooks(reading: Reading) -> Iterator[ast.FunctionDef]:
    for klass, kind in reading.test_classes:
        names = XUNIT_METHODS if kind == "plain" else UNITTEST_METHODS
        tests = [test for test in reading.tests if test.klass is klass]
        for node in klass.body if tests and kind != "unknown" else ():
            if isinstance(node, ast.FunctionDef) and node.name in names:
                yield node
    for each in reading.source.tree.body:
        if isinstance(each, ast.FunctionDef) and each.name in XUNIT_FUNCTIONS and reading.tests:
            yield each


@mutator("AT104", _sync_hooks)
def make_a_hook_async(draft: Draft, hook: ast.FunctionDef) -> None:
    """Make `setUp`, `setup_method` or one of their kin an `async def`."""
    names = {draft.source.dotted(each) for each in hook.decorator_list}
    draft.doubt_because("" if names <= {"builtins.classmethod"} else "the hook is decorated")
    draft.expect(hook)
    draft.insert(draft.source.start(hook), "async ")


# -- AT106 -------------------------------------------------------------------------------------------------------------


def _finalizers(reading: Reading) -> Iterator[tuple[ast.Call, ast.FunctionDef]]:
    """`request.addfinalizer(f)` with a function of the fixture's own."""
    for call in reading.source.of(ast.Call):
        function = sites.owner(reading, call)
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "addfinalizer" or len(call.args) != 1:
            continue
        argument = call.args[0]
        node = reading.source.only(argument.id) if isinstance(argument, ast.Name) else None
        if isinstance(node, ast.FunctionDef) and function is not None and reading.is_fixture(function):
            yield call, node


@mutator("AT106", _finalizers)
def make_a_finalizer_async(draft: Draft, site: tuple[ast.Call, ast.FunctionDef]) -> None:
    """Make the function that `request.addfinalizer` gets an `async def`."""
    call, function = site
    draft.expect(call.args[0])
    draft.insert(draft.source.start(function), "async ")
    if (
        ast.unparse(call.func) != "request.addfinalizer"
        or function.decorator_list
        or draft.source.is_generator(function)
    ):
        draft.doubt_because("what gets the finalizer is not known")


def local_coroutine_functions(reading: Reading) -> list[str]:
    """The module's own plain coroutine functions."""
    return [
        node.name
        for node in reading.source.tree.body
        if isinstance(node, ast.AsyncFunctionDef)
        and not node.decorator_list
        and not node.name.startswith("test")
        and reading.source.only(node.name) is node
        and not reading.source.is_generator(node)
    ]


def _sync_functions_with_local_coroutines(reading: Reading) -> Iterator[tuple[FunctionNode, str]]:
    for test in sites.sync_tests(reading):
        for name in local_coroutine_functions(reading)[:1]:
            yield test.node, name


@mutator("AT106", _sync_functions_with_local_coroutines)
def register_a_coroutine_function_at_exit(draft: Draft, site: tuple[FunctionNode, str]) -> None:
    """Put `atexit.register(work)` with an async function into a test."""
    function, name = site
    draft.first_in(function, f"{draft.name('atexit.register')}({HERE}{name})")


def _sync_testcase_tests(reading: Reading) -> Iterator[tuple[Test, str]]:
    for test in reading.tests:
        for name in local_coroutine_functions(reading)[:1]:
            if test.kind == "testcase" and test.node.args.args:
                yield test, name


@mutator("AT106", _sync_testcase_tests)
def clean_up_by_a_coroutine_function(draft: Draft, site: tuple[Test, str]) -> None:
    """Put `self.addCleanup(work)` with an async function into a test of a plain TestCase."""
    test, name = site
    draft.first_in(test.node, f"{test.node.args.args[0].arg}.addCleanup({HERE}{name})")


# -- AT107 to AT110: marks ---------------------------------------------------------------------------------------------


@mutator("AT107", sites.sync_tests)
def mark_a_sync_test(draft: Draft, test: Test) -> None:
    """Put `@pytest.mark.asyncio` on a sync test."""
    if test.kind != "plain":
        raise ImpossibleError
    if not draft.reading.has_only_marks(test.node):
        draft.doubt_because("a decorator is not pytest's own")
    draft.before(test.node, f"@{HERE}{draft.name('pytest.mark.asyncio')}")


@mutator("AT108", sites.fixtures)
def mark_a_fixture(draft: Draft, fixture: Fixture) -> None:
    """Put `@pytest.mark.asyncio` on a fixture."""
    draft.before(fixture.node, f"@{HERE}{draft.name('pytest.mark.asyncio')}")


INVALID_ARGUMENTS = ('"module"', 'scope_="module"', 'loop_scope="modul"', "timeout=5", 'loop_scope="Session"')


def _marked_tests_with_wrong_arguments(reading: Reading) -> Iterator[tuple[Test, str]]:
    for test in sites.marked_tests(reading):
        for arguments in INVALID_ARGUMENTS:
            yield test, arguments


@mutator("AT109", _marked_tests_with_wrong_arguments)
def give_the_mark_wrong_arguments(draft: Draft, site: tuple[Test, str]) -> None:
    """Give `@pytest.mark.asyncio` a positional or unknown argument, or a scope that is none."""
    test, arguments = site
    mark = draft.reading.own_mark(test.node, "asyncio")
    assert mark is not None
    draft.expect(mark)
    called = mark.func if isinstance(mark, ast.Call) else mark
    draft.replace(mark, f"{draft.source.text_of(called)}({arguments})")


def _undecorated_testcase_tests(reading: Reading) -> Iterator[Test]:
    for test in reading.tests:
        if test.kind in ("testcase", "isolated") and not test.node.decorator_list:
            yield test


@mutator("AT110", _undecorated_testcase_tests)
def request_a_fixture_in_a_testcase(draft: Draft, test: Test) -> None:
    """Add the parameter `tmp_path` to a test of a TestCase."""
    arguments = test.node.args
    if len(arguments.args) != 1 or arguments.vararg or arguments.posonlyargs:
        raise ImpossibleError
    draft.insert(draft.source.end(arguments.args[0]), f", {HERE}{draft.new_name('tmp_path')}")
    assert test.klass is not None
    if any(each.decorator_list for each in draft.reading.lineage(test.klass)):
        draft.doubt_because("a decorator of the class may give it")


@mutator("AT110", _undecorated_testcase_tests)
def mark_a_test_of_a_testcase(draft: Draft, test: Test) -> None:
    """Put `@pytest.mark.asyncio` on a test of a TestCase."""
    draft.before(test.node, f"@{HERE}{draft.name('pytest.mark.asyncio')}")


# -- AT111 -------------------------------------------------------------------------------------------------------------


def _neighbours(reading: Reading) -> Iterator[tuple[Test, Test]]:
    tests = [test for test in reading.tests if test.klass is None]
    body = reading.source.tree.body
    for one, other in pairwise(tests):
        if other.is_async and body.index(other.node) == body.index(one.node) + 1:
            yield one, other


@mutator("AT111", _neighbours)
def nest_a_test(draft: Draft, site: tuple[Test, Test]) -> None:
    """Indent an async test into the one above it."""
    one, other = site
    if not draft.reading.has_only_marks(other.node) or draft.source.bindings[other.node.name] != 1:
        raise ImpossibleError
    if isinstance(one.node.body[-1], (ast.Return, ast.Raise)) or other.node.name in draft.source.text_of(one.node):
        raise ImpossibleError
    for decorator in other.node.decorator_list:
        draft.remove_decorator(decorator)
    draft.deepen(other.node)
    draft.expect(other.node)


def _tests_with_an_assertion_at_the_end(reading: Reading) -> Iterator[tuple[Test, ast.Assert]]:
    for test in sites.running_async_tests(reading):
        last = test.node.body[-1]
        if isinstance(last, ast.Assert) and not reading.source.is_generator(test.node):
            yield test, last


@mutator("AT111", _tests_with_an_assertion_at_the_end)
def move_an_assertion_into_a_function_that_nobody_calls(draft: Draft, site: tuple[Test, ast.Assert]) -> None:
    """Put the last assertion of a test under an `async def check` that nothing calls."""
    _test, last = site
    draft.wrap(last, last, f"{HERE}async def {draft.new_name('check')}():")
    function = draft.source.function_of(last)
    assert isinstance(function, FUNCTIONS)
    if any(word in draft.source.text_of(function) for word in ("exec(", "eval(", "locals(", "globals(")):
        draft.doubt_because("the function may be found by its name")


# -- AT112, AT113 ------------------------------------------------------------------------------------------------------


@mutator("AT112", sites.tests_on_asyncio)
def add_the_anyio_mark(draft: Draft, test: Test) -> None:
    """Put `@pytest.mark.anyio` on a test that pytest-asyncio runs."""
    if "anyio_backend" in draft.source.text + draft.reading.suite.around(draft.reading.folder):
        draft.doubt_because("a backend is chosen")
    if "anyio" in (draft.reading.marks_of(test) or ()):
        raise ImpossibleError
    draft.before(test.node, f"@{HERE}{draft.name('pytest.mark.anyio')}")


@mutator("AT113", sites.conftest)
def mark_in_a_conftest(draft: Draft, _: Reading) -> None:
    """Put `pytestmark = pytest.mark.asyncio` into a conftest.py."""
    draft.new_name("pytestmark")
    mark = draft.name("pytest.mark.asyncio")
    draft.at_the_end(f"{HERE}pytestmark = {mark}")


@mutator("AT113", sites.conftest)
def add_marks_in_a_hook(draft: Draft, _: Reading) -> None:
    """Put a hook into a conftest.py that adds the asyncio mark when the tests are collected already."""
    draft.new_name("pytest_collection_modifyitems")
    mark = draft.name("pytest.mark.asyncio")
    draft.at_the_end(
        "def pytest_collection_modifyitems(items):",
        "    for item in items:",
        f"        {HERE}item.add_marker({mark})",
    )


# -- AT114 -------------------------------------------------------------------------------------------------------------


@mutator("AT114", _tests_with_an_assertion_at_the_end)
def return_what_was_asserted(draft: Draft, site: tuple[Test, ast.Assert]) -> None:
    """Write `return` for the last `assert` of an async test."""
    _, last = site
    if last.msg is not None:
        raise ImpossibleError
    draft.expect(last)
    start = draft.source.start(last)
    draft.span(start, start + len("assert"), "return")
    if not isinstance(last.test, (ast.Compare, ast.BoolOp)) and not _is_negation(last.test):
        draft.doubt_because("what is returned may be anything")


def _is_negation(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _tests_that_end_with_an_await(reading: Reading) -> Iterator[tuple[Test, ast.Await]]:
    for test in sites.running_async_tests(reading):
        last = test.node.body[-1]
        if isinstance(last, ast.Expr) and isinstance(last.value, ast.Await):
            yield test, last.value


@mutator("AT114", _tests_that_end_with_an_await)
def return_the_coroutine(draft: Draft, site: tuple[Test, ast.Await]) -> None:
    """Write `return` for the last `await` of an async test."""
    _, last = site
    draft.doubt_because(draft.reading.doubt_about_coroutine(last.value))
    statement = draft.source.statement_of(last)
    draft.expect(statement)
    start = draft.source.start(last)
    draft.span(start, start + len("await"), "return")
