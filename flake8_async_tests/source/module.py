"""One file: the facts that rules ask for."""

from __future__ import annotations

import ast
import os
from bisect import bisect_left
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from flake8_async_tests.lazy import lazy
from flake8_async_tests.project.fixture_graph import FixtureGraph, OfModule
from flake8_async_tests.project.left_out import is_left_out
from flake8_async_tests.source.calls import Call
from flake8_async_tests.source.fixtures import Fixture, fixture_of
from flake8_async_tests.source.functions import Class, Function
from flake8_async_tests.source.marks import Marks, pytestmarks_of
from flake8_async_tests.source.names import ALWAYS_BUILTINS, Names, imported_by_call, word_of
from flake8_async_tests.source.outside import marks_everything
from flake8_async_tests.source.test_libraries import imports_test_library
from flake8_async_tests.source.tests import Test, named_like_tests, test_of
from flake8_async_tests.source.walk import Index, Scope, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from flake8_async_tests.options import Options
    from flake8_async_tests.project.patterns import Patterns
    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.walk import CallSite

_Node = TypeVar("_Node", bound=ast.AST)
_Fact = TypeVar("_Fact")


# What a module keeps when it forgets what was found out.
_GIVEN = frozenset({"_text_or_lines", "path", "project", "tree"})


class Module:
    """A file of Python and what it says. Everything is worked out when it is first asked for."""

    def __init__(self, path: str, tree: ast.Module, text: str | Sequence[str], project: Project) -> None:
        self.path = path
        """Absolute, its folder free of symlinks."""
        self.tree = tree
        self._text_or_lines = text
        self.project = project
        self._know_nothing()

    def forget(self) -> None:
        """Know no more than what was given.

        What is found out holds the module in turn: without this only the interpreter's search for garbage would free
        it, which costs far more than letting it go.
        """
        known = vars(self)
        for name in known.keys() - _GIVEN:
            del known[name]
        self._know_nothing()

    def _know_nothing(self) -> None:
        self._qualified: dict[ast.expr, str] = {}
        # Any: each value is of the type that its key, a function, gives back.
        self._facts: dict[Callable[[Module], Any], Any] = {}
        self._fixtures_by_function: dict[Function, Fixture | None] = {}
        self._tests_by_function: dict[Function, Test | None] = {}
        self._functions_by_scope: dict[Scope, Function] = {}
        self._classes_by_scope: dict[Scope, Class] = {}

    def __repr__(self) -> str:
        return f"<Module {self.path}>"

    @lazy
    def text(self) -> str:
        given = self._text_or_lines
        return given if isinstance(given, str) else "".join(given)

    # -- what kind of file it is ----------------------------------------------------------------------------

    @property
    def options(self) -> Options:
        return self.project.options

    @lazy
    def name(self) -> str:
        return os.path.basename(self.path)

    @lazy
    def directory(self) -> str:
        return os.path.dirname(self.path)

    @property
    def is_conftest(self) -> bool:
        return self.name == "conftest.py"

    @lazy
    def patterns(self) -> Patterns:
        """What pytest's configuration takes for test files, classes and functions here."""
        return self.project.patterns_for(self.directory)

    @lazy
    def matches_python_files(self) -> bool:
        return self.patterns.matches_file(self.path)

    @lazy
    def is_test_file(self) -> bool:
        """Whether rules speak of it at all."""
        return self.is_conftest or self.matches_python_files or imports_test_library(self.tree)

    @lazy
    def is_switched_off(self) -> bool:
        """Whether `__test__ = False` keeps pytest from looking for tests in the file, or its configuration does."""
        if is_left_out(self.project, self.path):
            return True
        if "__test__" not in self.scope.bindings:
            return False
        value = self.names.assigned_value("__test__", self.scope)
        return isinstance(value, ast.Constant) and not value.value

    def fact(self, work_out: Callable[[Module], _Fact]) -> _Fact:
        """What a function has to say of this file: asked of it once, and kept as long as the module is.

        So that no table of modules is needed beside them, which would keep every file of a run alive.
        """
        if work_out not in self._facts:
            self._facts[work_out] = work_out(self)
        found: _Fact = self._facts[work_out]
        return found

    # -- the walk ---------------------------------------------------------------------------------------------

    @lazy
    def index(self) -> Index:
        return walk(self.tree)

    @lazy
    def names(self) -> Names:
        return Names(self.index, self._may_be_starred)

    def _may_be_starred(self, name: str) -> bool:
        """Whether a star import may bring a name."""
        starred = self.provided_fixtures.starred
        return name not in ALWAYS_BUILTINS if starred is None else name in starred

    @property
    def scope(self) -> Scope:
        """The module's own scope."""
        return self.index.scopes[0]

    @lazy
    def imported_modules(self) -> frozenset[str]:
        """Every module that some import names, and each package above it."""
        found: set[str] = set()
        for node, _ in self.of_kind(ast.Import):
            for alias in node.names:
                found.update(_with_packages(alias.name))
        for part, _ in self.of_kind(ast.ImportFrom):
            if part.module and not part.level:
                found.update(_with_packages(part.module))
                found.update([f"{part.module}.{alias.name}" for alias in part.names])
        for call, _, _ in self.index.calls.get("importorskip", ()):
            found.update(_with_packages(imported_by_call(call)))
        return frozenset(found)

    @lazy
    def own_from_imports(self) -> list[ast.ImportFrom]:
        """Each `from .. import` of the module itself, not of its functions and classes."""
        return [node for node, scope in self.of_kind(ast.ImportFrom) if scope is self.scope]

    def imports(self, *modules: str) -> bool:
        """Whether it imports one of these modules, or something of them, anywhere."""
        return any(module in self.imported_modules for module in modules)

    def of_kind(self, kind: type[_Node]) -> list[tuple[_Node, Scope]]:
        """The nodes of one of the indexed kinds with their scopes; those of one scope in the order of evaluation."""
        return self.index.by_kind[kind]  # type: ignore[return-value]  # it holds under each kind just that kind

    @lazy
    def with_blocks(self) -> list[tuple[ast.With | ast.AsyncWith, Scope]]:
        """The blocks that enter something, those of `with` before those of `async with`."""
        return [*self.of_kind(ast.With), *self.of_kind(ast.AsyncWith)]

    # -- names and calls ---------------------------------------------------------------------------------------

    def qualified(self, node: ast.expr | None, scope: Scope) -> str:
        """The dotted name of what an expression refers to, "" when it is nothing from elsewhere."""
        if node is None:
            return ""
        known = self._qualified.get(node)
        if known is None:
            known = self._qualified[node] = self.names.qualified(node, scope)
        return known

    def value_of(self, node: ast.expr, scope: Scope) -> ast.expr:
        """The expression behind a name that is assigned only once."""
        return self.names.value_of(node, scope)

    def calls(self, *names: str, where: Callable[[ast.Call], bool] | None = None) -> list[Call]:
        """The calls of these qualified names, in the order of the file; only those that meet a condition."""
        found: list[Call] = []
        calls, other_names = self.index.calls, self.names.other_names
        for name, tail in _with_tails(names):
            if tail in other_names:
                for other in self.names.tails_of(name):
                    self._add_calls(name, calls.get(other, ()), found, where)
            elif tail in calls:
                self._add_calls(name, calls[tail], found, where)
        if len(found) > 1:
            found.sort(key=_place_of_call)
        return found

    def _add_calls(
        self, name: str, sites: Iterable[CallSite], found: list[Call], where: Callable[[ast.Call], bool] | None
    ) -> None:
        for node, scope, holder in sites:
            if (where is None or where(node)) and self.qualified(node.func, scope) == name:
                found.append(Call(self, node, scope, name, holder))

    def method_calls(self, *methods: str, where: Callable[[ast.Call], bool] | None = None) -> list[Call]:
        """The calls of these names on something (`x.close()`), whatever it is; the rest as for other calls."""
        calls = self.index.calls
        found = [
            Call(self, node, scope, None, holder)
            for method in methods
            if method in calls
            for node, scope, holder in calls[method]
            if isinstance(node.func, ast.Attribute) and (where is None or where(node))
        ]
        if len(found) > 1:
            found.sort(key=_place_of_call)
        return found

    def calls_by_other_names(self, *methods: str) -> list[Call]:
        """The calls of names that such a method was given (`close = x.close`), or whatever else is called so."""
        calls, other_names = self.index.calls, self.names.other_names
        return [
            Call(self, node, scope, None, holder)
            for method in methods
            for other in sorted(other_names.get(method, ()))
            for node, scope, holder in calls.get(other, ())
            if isinstance(node.func, ast.Name)
        ]

    def call_at(self, node: ast.Call, scope: Scope) -> Call:
        return Call(self, node, scope)

    # -- functions and classes -----------------------------------------------------------------------------------

    @lazy
    def functions(self) -> list[Function]:
        """Every `def` and `async def`, nested ones too, in the order of the file."""
        found = [self._function(scope) for scope in self.index.scopes if scope.is_function]
        found.sort(key=_line_of_definition)
        return found

    @lazy
    def decorating_words(self) -> frozenset[str]:
        """The last words of what decorates functions, called or not: told before any name of them is looked up."""
        nodes = [node for function in self.functions for node in function.node.decorator_list]
        return frozenset(word_of(node.func if isinstance(node, ast.Call) else node) for node in nodes)

    @lazy
    def has_async_functions(self) -> bool:
        return any(scope.node.__class__ is ast.AsyncFunctionDef for scope in self.index.scopes)

    @lazy
    def classes(self) -> list[Class]:
        found = [self._class(scope) for scope in self.index.scopes if scope.is_class]
        found.sort(key=_line_of_definition)
        return found

    def function_at(self, scope: Scope | None) -> Function | None:
        """The function whose own scope this is."""
        return self._function(scope) if scope is not None and scope.is_function else None

    def class_at(self, scope: Scope | None) -> Class | None:
        """The class whose own body this is."""
        return self._class(scope) if scope is not None and scope.is_class else None

    def class_of_node(self, node: ast.ClassDef) -> Class | None:
        return self._classes_by_node.get(node)

    def function_of_node(self, node: ast.AST) -> Function | None:
        return self._functions_by_node.get(node)

    def function_by_name(self, node: ast.expr, scope: Scope) -> Function | None:
        """The function of this file that a name stands for there."""
        definition = self.names.definition(node, scope)
        return self.function_of_node(definition) if definition is not None else None

    def functions_in(self, scope: Scope) -> list[Function]:
        """The functions that stand in a scope itself."""
        return self._functions_by_outer.get(scope, [])

    def scopes_within(self, scope: Scope) -> Iterator[Scope]:
        """A scope and every scope nested in it."""
        todo = [scope]
        while todo:
            found = todo.pop()
            yield found
            todo.extend(self._scopes_by_outer.get(found, ()))

    @lazy
    def _scopes_by_outer(self) -> dict[Scope, list[Scope]]:
        found: dict[Scope, list[Scope]] = {}
        for scope in self.index.scopes:
            if scope.parent is not None:
                found.setdefault(scope.parent, []).append(scope)
        return found

    def subclasses_of(self, klass: Class) -> list[Class]:
        """Every class of this file that inherits from one, directly or not."""
        return self._subclasses.get(klass, [])

    def _function(self, scope: Scope) -> Function:
        found = self._functions_by_scope.get(scope)
        if found is None:
            found = self._functions_by_scope[scope] = Function(self, scope)
        return found

    def _class(self, scope: Scope) -> Class:
        found = self._classes_by_scope.get(scope)
        if found is None:
            found = self._classes_by_scope[scope] = Class(self, scope)
        return found

    @lazy
    def _functions_by_outer(self) -> dict[Scope, list[Function]]:
        found: dict[Scope, list[Function]] = {}
        for function in self.functions:
            found.setdefault(function.outer, []).append(function)
        return found

    @lazy
    def _functions_by_node(self) -> dict[ast.AST, Function]:
        return {function.node: function for function in self.functions}

    @lazy
    def _classes_by_node(self) -> dict[ast.AST, Class]:
        return {klass.node: klass for klass in self.classes}

    @lazy
    def _subclasses(self) -> dict[Class, list[Class]]:
        found: dict[Class, list[Class]] = {}
        for klass in self.classes:
            for base in klass.lineage[1:]:
                found.setdefault(base, []).append(klass)
        return found

    # -- pytest's things -----------------------------------------------------------------------------------------

    @lazy
    def marks(self) -> Marks:
        """What `pytestmark` of the module says, be it that a star import brings one that cannot be told of here."""
        is_all = not marks_everything(self) and not self.provided_fixtures.star_gives("pytestmark")
        return pytestmarks_of(self, self.scope) + Marks(complete=is_all)

    @lazy
    def fixtures(self) -> list[Fixture]:
        found = [self.fixture_of(function) for function in self.functions if function.node.decorator_list]
        return [fixture for fixture in found if fixture is not None]

    def is_fixture(self, function: Function) -> bool:
        return self.fixture_of(function) is not None

    def fixture_of(self, function: Function) -> Fixture | None:
        if not function.node.decorator_list:
            return None
        known = self._fixtures_by_function
        if function not in known:
            known[function] = fixture_of(function)
        return known[function]

    @lazy
    def provided_fixtures(self) -> OfModule:
        """The fixtures that this file puts in sight of its own tests or, as a conftest, of others."""
        return OfModule(self)

    @lazy
    def fixture_graph(self) -> FixtureGraph:
        """The fixtures as the tests of this file see them."""
        return FixtureGraph(self)

    @lazy
    def tests(self) -> list[Test]:
        return self.tests_among(self._named_like_tests)

    @lazy
    def async_tests(self) -> list[Test]:
        if not self.has_async_functions:
            return []
        return self.tests_among(function for function in self._named_like_tests if function.is_async)

    def tests_where(self, condition: Callable[[Function], bool]) -> list[Test]:
        """The tests whose functions are of some kind; whether the others are tests is not worked out."""
        return self.tests_among(filter(condition, self._named_like_tests))

    def tests_among(self, functions: Iterable[Function]) -> list[Test]:
        return [test for test in map(self.test_of, functions) if test is not None]

    def test_of(self, function: Function | None) -> Test | None:
        if function is None:
            return None
        known = self._tests_by_function
        if function not in known:
            known[function] = test_of(function) if function in self._named_like_tests else None
        return known[function]

    @lazy
    def _named_like_tests(self) -> dict[Function, None]:
        return dict.fromkeys(named_like_tests(self))

    def ancestors(self, node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out, up to the node of its scope."""
        parents = scope.parents
        parent = parents.get(node)
        while parent is not None:
            yield parent
            parent = parents.get(parent)


# No two definitions begin in one line.
_line_of_definition = attrgetter("node.lineno")


@lru_cache(maxsize=1024)
def _with_tails(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, name.rpartition(".")[2]) for name in names)


@lru_cache(maxsize=4096)
def _with_packages(module: str) -> tuple[str, ...]:
    parts = module.split(".")
    return tuple(".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _place_of_call(call: Call) -> tuple[int, int]:
    return call.node.lineno, call.node.col_offset


def is_within(node: ast.AST, block: Sequence[ast.stmt]) -> bool:
    """Whether a node stands in a block, by its place in the file."""
    if not block:
        return False
    first, last = block[0], block[-1]
    place = (node.lineno, node.col_offset)  # type: ignore[attr-defined]  # only statements and expressions are asked for
    return (first.lineno, first.col_offset) <= place <= (last.end_lineno or 0, last.end_col_offset or 0)


def holds_one_of(block: Sequence[ast.stmt], places: Sequence[tuple[int, int]]) -> bool:
    """Whether something at one of these places, which are in order, stands in a block."""
    first, last = block[0], block[-1]
    at = bisect_left(places, (first.lineno, first.col_offset))
    return at < len(places) and places[at] <= (last.end_lineno or 0, last.end_col_offset or 0)
