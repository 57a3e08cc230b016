"""Tests: what pytest or unittest would collect from a file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.lazy import lazy
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.fixtures import requested_names
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.marks import NO_MARKS, Marks, marks_of_parameters
from flake8_async_tests.source.outside import marks_from_outside, set_from_outside, switch_from_outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.runner import Runner
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.module import Module

_ONLY_TEST = "runTest"
"""What unittest runs of a test case that has no method named like a test."""
_SKIPPING_EXCEPTIONS = ("pytest.skip.Exception", "unittest.SkipTest")


class Test:
    """A test function, and the classes through which it is collected (none: it stands in the module)."""

    __test__ = False

    def __init__(self, function: Function, collectors: tuple[Class, ...]) -> None:
        self.function = function
        self.collectors = collectors
        self.runner: Runner | None = None
        """Who runs it, once somebody has asked `runner_of`."""

    def __repr__(self) -> str:
        return f"<Test {self.function.name} line {self.function.node.lineno}>"

    @property
    def module(self) -> Module:
        return self.function.module

    @property
    def node(self) -> ast.FunctionDef | ast.AsyncFunctionDef:
        return self.function.node

    @property
    def is_async(self) -> bool:
        return self.function.is_async

    @property
    def klass(self) -> Class | None:
        """The class that stands for all that collect it: its own one if that is among them."""
        own = self.function.klass
        if own is None or own in self.collectors or not self.collectors:
            return own
        return self.collectors[0]

    @property
    def kind(self) -> ClassKind:
        """Where the bases of its class end; unknown when the classes that collect it differ."""
        kinds = {klass.kind for klass in self.collectors}
        if not kinds:
            return ClassKind.PLAIN
        return kinds.pop() if len(kinds) == 1 else ClassKind.UNKNOWN

    @property
    def kind_where_defined(self) -> ClassKind:
        """As `kind`, but of its own class alone where that collects it."""
        klass = self.klass
        return klass.kind if klass is not None and klass is self.function.klass else self.kind

    @lazy
    def marks(self) -> Marks:
        """Every mark that applies: its own, its class's and its bases', the module's, its parameter sets'."""
        return self.marks_in(self.klass)

    def marks_in(self, klass: Class | None) -> Marks:
        """The marks that apply when it is collected through a class."""
        shared = self.module.marks if klass is None else klass.marks + self.module.marks
        return self._nearest_marks + self._marks_of_parameters(shared) + shared

    def levels_of_marks(self, klass: Class | None) -> Iterator[Marks]:
        """The marks by the place where they stand, nearest first, when it is collected through a class."""
        yield self._nearest_marks
        while klass is not None:
            yield klass.marks_of_lineage
            klass = self.module.class_at(klass.outer)
        yield self.module.marks

    @lazy
    def _nearest_marks(self) -> Marks:
        """Those of the function itself and of its parameter sets."""
        function = self.function
        return function.own_marks + self._marks_of_parameters(function.own_marks) + self._marks_from_outside

    @property
    def _marks_from_outside(self) -> Marks:
        function = self.function
        return marks_from_outside(function.module, function.name, function.outer)

    def _marks_of_parameters(self, marks: Marks) -> Marks:
        """The marks of the parameter sets that `parametrize` marks give."""
        found = NO_MARKS
        for mark in marks.named("parametrize"):
            if mark.call is not None:
                found += marks_of_parameters(self.module, mark.call, self.function.outer)
        return found

    @property
    def is_skipped(self) -> bool:
        """Whether it is skipped whatever happens, and not only with some of its parameters."""
        marks = [self.function.own_marks, self._marks_from_outside, self.module.marks]
        if self.klass is not None:
            marks.append(self.klass.marks)
        if any(map(_keep_from_running, marks)) or self.module.fact(_is_skipped_whole):
            return True
        decorators = [*self.function.decorators, *(self.klass.decorators if self.klass else ())]
        return any(decorator.name == "unittest.skip" for decorator in decorators)

    @lazy
    def requests(self) -> tuple[str, ...]:
        """The fixtures that it asks for by a parameter or by `usefixtures`; parametrized names left out."""
        if self.kind in (ClassKind.TESTCASE, ClassKind.ISOLATED):
            names: tuple[str, ...] = ()
        else:
            direct = set(self.parametrized)
            names = tuple(name for name in requested_names(self.function) if name not in direct)
        return names + tuple(used_fixtures(self.module, self.marks))

    @property
    def may_ask_for_more(self) -> bool:
        """Whether a `usefixtures` names fixtures in a way that cannot be read: `usefixtures(*names)`."""
        return not all(isinstance(each, ast.Constant) for each in _arguments_of_usefixtures(self.module, self.marks))

    @lazy
    def parametrized(self) -> tuple[str, ...]:
        """The parameter names that `parametrize` fills, indirect ones left out."""
        found: list[str] = []
        for mark in self.marks.named("parametrize"):
            if mark.call is None or not (mark.call.args or keyword_value(mark.call, "argnames")):
                continue
            names = keyword_value(mark.call, "argnames") or mark.call.args[0]
            indirect = _indirect_names(mark.call)
            if indirect is not None:
                found.extend(name for name in argument_names(names) if name not in indirect)
        return tuple(found)


def _keep_from_running(marks: Marks) -> bool:
    """Whether there is one among some marks with which pytest certainly does not call the test."""
    if marks.has("skip"):
        return True
    return any(mark.call is not None and _says_run_false(mark.call) for mark in marks.named("xfail"))


def _says_run_false(xfail: ast.Call) -> bool:
    """`xfail(run=False)`, with no condition that may lift it."""
    run = keyword_value(xfail, "run")
    is_conditional = bool(xfail.args) or keyword_value(xfail, "condition") is not None
    return isinstance(run, ast.Constant) and run.value is False and not is_conditional


def _is_skipped_whole(module: Module) -> bool:
    """Whether a file says, without a condition, that nothing of it is to run."""
    return any(_skips(module, statement) for statement in module.tree.body)


def _skips(module: Module, statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return module.qualified(statement.value.func, module.scope) == "pytest.skip"
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return module.qualified(raised, module.scope) in _SKIPPING_EXCEPTIONS
    return False


def _indirect_names(parametrize: ast.Call) -> frozenset[str] | None:
    """Which names go to fixtures after all; None says all of them, or possibly all."""
    indirect = keyword_value(parametrize, "indirect")
    if indirect is None or (isinstance(indirect, ast.Constant) and indirect.value is False):
        return frozenset()
    return frozenset(argument_names(indirect)) if isinstance(indirect, (ast.List, ast.Tuple)) else None


def argument_names(node: ast.expr) -> Iterator[str]:
    """`"a, b"`, `["a", "b"]` or `("a", "b")`, as `parametrize` takes them."""
    elements = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    for element in elements:
        if isinstance(element, ast.Constant) and isinstance(element.value, str):
            yield from (name.strip() for name in element.value.split(",") if name.strip())


def used_fixtures(module: Module, marks: Marks) -> Iterator[str]:
    """The fixture names in `usefixtures` marks."""
    for argument in _arguments_of_usefixtures(module, marks):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


def _arguments_of_usefixtures(module: Module, marks: Marks) -> Iterator[ast.expr]:
    """What `usefixtures` marks are given, constants of the module and lists of them (`*NAMES`) seen through."""
    for mark in marks.named("usefixtures"):
        for argument in mark.call.args if mark.call else ():
            names = module.value_of(argument.value, module.scope) if isinstance(argument, ast.Starred) else None
            for each in names.elts if isinstance(names, (ast.List, ast.Tuple)) else (argument,):
                yield module.value_of(each, module.scope)


def named_like_tests(module: Module) -> list[Function]:
    """The functions of a file that are tests by their names, in its order: more than that is only asked of these."""
    if not module.matches_python_files or module.is_switched_off:
        return []
    matches = module.patterns.matches_function
    return [
        function
        for function in module.functions
        if function.name.startswith("test") or matches(function.name) or function.name == _ONLY_TEST
    ]


def test_of(function: Function) -> Test | None:
    outer = function.outer
    if outer.is_function or not function.keeps_its_nature or function.module.is_fixture(function):
        return None
    if switch_from_outside(function.module, function.name, outer) is False:
        return None
    klass = function.klass
    if klass is None:
        is_one = function.module.patterns.matches_function(function.name) and not function.is_replaced
        return Test(function, ()) if is_one else None
    collectors = tuple(
        candidate
        for candidate in klass.family
        if _is_collected_in(function, candidate) and candidate.find_method(function.name) is function
    )
    if function.name in set_from_outside(function.module, klass.name, klass.outer):
        return None
    return Test(function, collectors) if collectors and not function.is_replaced else None


def _is_collected_in(function: Function, klass: Class) -> bool:
    if klass.is_collected and not klass.is_testcase and function.module.patterns.matches_function(function.name):
        return True
    # In a TestCase, possibly of some framework, tests are what unittest calls so, whatever pytest's patterns are.
    if klass.kind is ClassKind.PLAIN or not klass.may_be_collected:
        return False
    return function.name.startswith("test") or (function.name == _ONLY_TEST and not _has_named_tests(klass))


def _has_named_tests(klass: Class) -> bool:
    return any(name.startswith("test") for each in klass.lineage for name in each.methods)
