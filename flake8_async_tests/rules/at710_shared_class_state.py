"""AT710: a test changes what all tests of its class share."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.class_state import Doing, Touch, gives_to_test, touches
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLES = frozenset(
    {
        "builtins.bytearray",
        "builtins.dict",
        "builtins.list",
        "builtins.set",
        "collections.Counter",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.deque",
    }
)
# These run once: what they set is what the tests share.
ONCE_FOR_ALL = frozenset({"setUpClass", "tearDownClass", "setup_class", "teardown_class"})
# As async functions these do nothing.
NEVER_AWAITED = frozenset({"setUp", "tearDown", "setup_method", "teardown_method"})


@rule("AT710", "shared-class-state", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    collectors = {collector for test in module.async_tests for collector in test.collectors}
    classes = {klass for collector in collectors for klass in collector.lineage}
    if not classes:
        return
    tests = {test.function: test for test in module.tests if collectors.intersection(test.collectors)}
    done = [touch for touch in touches(module) if touch.klass in classes]
    lasting = _without_what_is_renewed(done, tests)
    for name, node, test in _changed_in_place(classes, lasting, done):
        yield Finding(
            node,
            f"{name} is one object for all its tests: what {test.function.name} changes in it is there in the next one,"
            " too (make it anew for each test, in a fixture or set-up)",
        )
    for touch, test in lasting:
        if touch.through_class and _sets(touch):
            yield Finding(
                touch.node,
                f"{touch.klass.name}.{touch.attribute} keeps what {test.function.name} gives it for the tests after it"
                f" (assign to self.{touch.attribute}, which each test has for itself)",
            )


def _changed_in_place(
    classes: set[Class], lasting: list[tuple[Touch, Test]], done: list[Touch]
) -> Iterator[tuple[str, ast.stmt, Test]]:
    """The attributes that an async test changes, each with the first that does."""
    first = {(touch.method, touch.attribute): touch for touch in reversed(done)}
    changing: dict[tuple[Class | None, str], Test] = {}
    for touch, test in lasting:
        # A test that makes the object, or empties it, before it changes it has it for itself.
        if test.is_async and first[touch.method, touch.attribute].doing.is_in_place:
            changing.setdefault((_holder(touch.klass, touch.attribute), touch.attribute), test)
    for klass in classes:
        for attribute, node in _mutable_attributes(klass):
            if (klass, attribute) in changing:
                yield f"{klass.name}.{attribute}", node, changing[klass, attribute]


def _without_what_is_renewed(done: list[Touch], tests: dict[Function, Test]) -> list[tuple[Touch, Test]]:
    """What tests do to attributes of their own class that nothing makes anew, empties or restores for each test."""
    renewed = {
        (klass, touch.attribute)
        for touch in done
        if touch.method not in tests and touch.doing is not Doing.FILLED and _runs_each_time(touch.method)
        for klass in (*touch.klass.lineage, *touch.klass.subclasses)
    }
    undone = {(touch.method, touch.attribute) for touch in done if touch.clears_up}
    in_tests = [(touch, tests[touch.method]) for touch in done if touch.method in tests]
    return [
        (touch, test)
        for touch, test in in_tests
        if (touch.klass, touch.attribute) not in renewed
        and (touch.method, touch.attribute) not in undone
        and _is_own(touch.klass, test)
        and not _is_given_by_fixture(touch.attribute, test)
    ]


def _is_given_by_fixture(attribute: str, test: Test) -> bool:
    """Whether a fixture of the test that stands outside of its class gives it the attribute."""
    fixtures = test.module.fixture_graph.closure_of(test).fixtures
    return any(_runs_each_time(each.function) and gives_to_test(each, attribute) for each in fixtures)


def _runs_each_time(method: Function) -> bool:
    """Whether what a method does, be it a hook, a fixture or a helper, may be done for each test."""
    fixture = method.module.fixture_of(method)
    if fixture is not None:
        return fixture.scope in ("function", None)
    if method.name in NEVER_AWAITED and method.is_async:
        return False
    return method.name not in ONCE_FOR_ALL


def _mutable_attributes(klass: Class) -> Iterator[tuple[str, ast.stmt]]:
    for node in klass.scope.of(ast.Assign, ast.AnnAssign):
        assert isinstance(node, (ast.Assign, ast.AnnAssign))
        if node.value is None or not _is_mutable(klass, node.value):
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield target.id, node


def _is_mutable(klass: Class, node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return klass.module.qualified(node.func, klass.scope) in MUTABLES
    return isinstance(node, DISPLAYS)


def _holder(klass: Class, attribute: str) -> Class | None:
    """The nearest of a class and its bases whose body gives it the attribute."""
    return next((each for each in klass.lineage if attribute in each.scope.bindings), None)


def _sets(touch: Touch) -> bool:
    if touch.doing is Doing.SET:
        return True
    # `TestOrders.count += 1` sets it too, unless what is there is changed in place.
    holder = _holder(touch.klass, touch.attribute)
    is_mutable = holder is not None and any(name == touch.attribute for name, _ in _mutable_attributes(holder))
    return isinstance(touch.node, ast.AugAssign) and isinstance(touch.node.target, ast.Attribute) and not is_mutable


def _is_own(klass: Class, test: Test) -> bool:
    return any(klass in collector.lineage for collector in test.collectors)
