"""What a file's tests and fixtures are, who runs them, and which calls give coroutines.

Everything here follows the words of the rules' pages and nothing of their code. A question that is not plainly
answered has an answer in words, the doubt; "" is certainty.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutation.source import FUNCTIONS, FunctionNode, Source, names_bound_by

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "pytest.mark."
FIXTURES = ("pytest.fixture", "pytest_asyncio.fixture")

TESTCASE = "unittest.TestCase"
ISOLATED = "unittest.IsolatedAsyncioTestCase"

# Fixtures of pytest itself and of plugins that run nothing.
BUILTIN_FIXTURES = frozenset(
    [
        "request",
        "tmp_path",
        "tmp_path_factory",
        "tmpdir",
        "monkeypatch",
        "capsys",
        "capfd",
        "caplog",
        "recwarn",
        "mocker",
        "pytestconfig",
    ]
)

_HARMLESS_BASES = {"builtins.object", "abc.ABC"}
_KEEPERS = ("unittest.mock.patch", "unittest.mock.patch.object", "unittest.mock.patch.dict")

# What Python itself says of asyncio; the others need not be installed.
_COROUTINE_FUNCTIONS = frozenset(
    [
        *(f"asyncio.{name}" for name in asyncio.__all__ if inspect.iscoroutinefunction(getattr(asyncio, name))),
        "anyio.sleep",
        "anyio.sleep_forever",
        "anyio.sleep_until",
        "anyio.aclose_forcefully",
        "anyio.connect_tcp",
        "anyio.create_tcp_listener",
        "anyio.open_file",
        "anyio.run_process",
        "anyio.to_thread.run_sync",
        "anyio.lowlevel.checkpoint",
        "anyio.lowlevel.cancel_shielded_checkpoint",
        "trio.sleep",
        "trio.sleep_forever",
        "trio.to_thread.run_sync",
        "trio.lowlevel.checkpoint",
        "trio.open_tcp_stream",
    ]
)
_HTTPX_METHODS = frozenset(["get", "post", "put", "patch", "delete", "head", "options", "request", "send", "aclose"])
_AIOHTTP_METHODS = frozenset(["get", "post", "put", "patch", "delete", "head", "options", "request", "close"])
_SESSION_METHODS = frozenset(
    [
        "execute",
        "scalar",
        "scalars",
        "get",
        "flush",
        "commit",
        "rollback",
        "refresh",
        "delete",
        "merge",
        "close",
        "stream",
        "stream_scalars",
    ]
)
_CONNECTION_METHODS = frozenset(
    ["execute", "scalar", "scalars", "run_sync", "exec_driver_sql", "commit", "rollback", "close"]
)
_LIBRARY_METHODS = {
    "httpx.AsyncClient": _HTTPX_METHODS,
    "aiohttp.ClientSession": _AIOHTTP_METHODS,
    "sqlalchemy.ext.asyncio.AsyncSession": _SESSION_METHODS,
    "sqlalchemy.ext.asyncio.AsyncConnection": _CONNECTION_METHODS,
    "sqlalchemy.ext.asyncio.AsyncEngine": frozenset(["dispose"]),
}

MOCKS = ("unittest.mock.Mock", "unittest.mock.MagicMock", "unittest.mock.AsyncMock")

_HOPS = 4


@dataclass(frozen=True, slots=True)
class Test:
    """A test function, and the kind of class that it is in: plain, testcase, isolated, or unknown."""

    __test__ = False

    node: FunctionNode
    klass: ast.ClassDef | None
    kind: str

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Fixture:
    node: FunctionNode
    decorator: ast.expr
    library: str

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def call(self) -> ast.Call | None:
        return self.decorator if isinstance(self.decorator, ast.Call) else None


class Reading:
    """What a file says to whoever runs its tests."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.suite = source.suite
        self.path = Path(source.path)
        self.folder = self.path.parent
        self.configuration = self.suite.configuration(self.folder)

    @property
    def is_conftest(self) -> bool:
        return self.path.name == "conftest.py"

    # -- classes ------------------------------------------------------------------------------------------------------

    def kind_of(self, klass: ast.ClassDef) -> str:
        """plain, testcase, isolated or unknown: where a class's bases end."""
        source = self.source
        if klass.keywords or any(not source.dotted(_called(each)).startswith(MARK) for each in klass.decorator_list):
            return "unknown"
        kinds = {"plain"}
        for base in klass.bases:
            dotted = source.dotted(base)
            local = source.only(base.id) if isinstance(base, ast.Name) else None
            if dotted in (TESTCASE, ISOLATED):
                kinds.add("testcase" if dotted == TESTCASE else "isolated")
            elif isinstance(local, ast.ClassDef) and local is not klass:
                kinds.add(self.kind_of(local))
            elif dotted not in _HARMLESS_BASES:
                return "unknown"
        if "unknown" in kinds:
            return "unknown"
        return next(kind for kind in ("isolated", "testcase", "plain") if kind in kinds)

    def lineage(self, klass: ast.ClassDef) -> list[ast.ClassDef]:
        """A class and its bases in the file."""
        found = [klass]
        for each in found:
            for base in each.bases:
                local = self.source.only(base.id) if isinstance(base, ast.Name) else None
                if isinstance(local, ast.ClassDef) and local not in found:
                    found.append(local)
        return found

    @cached_property
    def test_classes(self) -> list[tuple[ast.ClassDef, str]]:
        """The classes that are certainly collected."""
        found = []
        patterns = self._patterns("python_classes", "Test")
        if "__test__" in self.source.text:
            return []
        for klass in self.source.tree.body:
            if not isinstance(klass, ast.ClassDef) or len(self.source.top_level[klass.name]) != 1:
                continue
            kind = self.kind_of(klass)
            bodies = [statement for each in self.lineage(klass) for statement in each.body]
            named = {name for statement in bodies for name in names_bound_by(statement)}
            if kind == "plain" and (not _matches(klass.name, patterns) or named & {"__init__", "__new__"}):
                continue
            if named & {"run", "__call__", "_callTestMethod", "_callSetUp", "__init_subclass__", "__getattribute__"}:
                continue
            if any(self.source.dotted(base) == "abc.ABC" for each in self.lineage(klass) for base in each.bases):
                continue
            found.append((klass, kind))
        return found

    # -- tests --------------------------------------------------------------------------------------------------------

    @cached_property
    def tests(self) -> list[Test]:
        """The functions that are certainly tests, and whose decorators say nothing of a runner but by marks."""
        if self.is_conftest or "__test__" in self.source.text:
            return []
        patterns = self._patterns("python_functions", "test")
        found = [
            Test(node, None, "plain")
            for node in self.source.tree.body
            if isinstance(node, FUNCTIONS) and _matches(node.name, patterns) and self._is_only(node)
        ]
        for klass, kind in self.test_classes:
            named = patterns if kind == "plain" else ["test"]
            for node in klass.body:
                if isinstance(node, FUNCTIONS) and _matches(node.name, named) and self._is_only(node):
                    found.append(Test(node, klass, kind))  # noqa: PERF401  # two loops read better than one
        return [test for test in found if self._keeps_nature(test.node)]

    def _is_only(self, node: FunctionNode) -> bool:
        parent = self.source.parents[node]
        body = parent.body if isinstance(parent, ast.ClassDef) else None
        if body is None:
            return len(self.source.top_level[node.name]) == 1
        return sum(node.name in names_bound_by(each) for each in body) == 1

    def _keeps_nature(self, node: FunctionNode) -> bool:
        names = [self.source.dotted(_called(each)) for each in node.decorator_list]
        return all(name.startswith(MARK) or name in _KEEPERS for name in names)

    def _patterns(self, option: str, default: str) -> list[str]:
        return self.configuration.options.get(option, default).split()

    @cached_property
    def async_tests(self) -> list[Test]:
        return [test for test in self.tests if test.is_async]

    def has_only_marks(self, node: FunctionNode) -> bool:
        return all(self.source.dotted(_called(each)).startswith(MARK) for each in node.decorator_list)

    def own_mark(self, node: FunctionNode, name: str) -> ast.expr | None:
        """The decorator that is a mark of a name, where there is just one."""
        found = [each for each in node.decorator_list if self.source.dotted(_called(each)) == MARK + name]
        return found[0] if len(found) == 1 else None

    def marks_of(self, test: Test) -> set[str] | None:
        """The names of all marks on a test; None when some cannot be read."""
        found: set[str] | None = {
            self.source.dotted(_called(each)).removeprefix(MARK) for each in test.node.decorator_list
        }
        owners: list[ast.AST] = [self.source.tree]
        for klass in self.lineage(test.klass) if test.klass else ():
            owners.append(klass)
            found = _joined(found, self._mark_names(klass.decorator_list))
        for owner in owners:
            found = _joined(found, self._pytestmarks(owner))
        if self.source.has_star_import:
            return None
        return found

    def _pytestmarks(self, owner: ast.AST) -> set[str] | None:
        """The marks that `pytestmark` of a module or class names; None where they cannot be read."""
        found: set[str] | None = set()
        for node in self.source.binders.get("pytestmark", ()):
            statement = self.source.parents[node]
            if self.source.parents.get(statement) is not owner:
                if not isinstance(self.source.parents.get(statement), (ast.ClassDef, ast.Module)):
                    return None
                continue
            value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
            if value is None:
                return None
            found = _joined(
                found, self._mark_names(value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value])
            )
        return found

    def _mark_names(self, nodes: list[ast.expr]) -> set[str] | None:
        names = {self.source.dotted(_called(node)) for node in nodes}
        if any(not name.startswith(MARK) for name in names):
            return None
        return {name.removeprefix(MARK) for name in names}

    def parameters(self, node: FunctionNode) -> list[ast.arg]:
        """What pytest fills: all parameters without a default but self."""
        arguments = node.args
        found = [*arguments.posonlyargs, *arguments.args]
        if arguments.defaults:
            found = found[: -len(arguments.defaults)]
        return found[1:] if self.source.class_of(node) is not None else found

    # -- who runs them ------------------------------------------------------------------------------------------------

    def runner(self, test: Test) -> str:
        """unittest, asyncio, anyio, trio or nobody; "" where it cannot be told."""
        if test.kind != "plain":
            return {"isolated": "unittest", "testcase": "nobody"}.get(test.kind, "")
        marks = self.marks_of(test)
        if marks is None or not marks.isdisjoint({"parametrize_async", "usefixtures"}):
            return ""
        for name in ("asyncio", "anyio", "trio"):
            if name in marks:
                return name
        if "anyio_backend" in self.source.text + self.suite.around(self.folder):
            return ""
        if self.configuration.asyncio_mode == "auto":
            return "asyncio"
        if self.doubt_about_runner or self.configuration.asyncio_mode != "strict":
            return ""
        if not all(self.is_plain_fixture(each.arg, test.node) for each in self.parameters(test.node)):
            return ""
        return "nobody"

    @property
    def doubt_about_runner(self) -> str:
        if "pytest_plugins" in self.source.text or self.source.has_star_import:
            return "the file names plugins"
        modes = ("anyio_mode", "trio_mode")
        if any(mode in self.configuration.options for mode in modes) or "-p" in self.configuration.options.get(
            "addopts", ""
        ):
            return "pytest's configuration has another runner"
        return self.suite.doubt_about_runner(self.folder)

    @property
    def may_run_on_trio(self) -> bool:
        """Whether asyncio's own things may be out of place in the file."""
        texts = self.source.text + self.suite.around(self.folder)
        return "trio" in texts or "get_all_backends" in texts

    def is_plain_fixture(self, name: str, node: FunctionNode) -> bool:
        """Whether a parameter is certainly no sign of a runner: a fixture in sight, pytest's own, or parametrized."""
        if name in BUILTIN_FIXTURES:
            return True
        if any(f"def {name}(" in text for text in (self.source.text, self.suite.around(self.folder))):
            return True
        return any(f'"{name}' in self.source.text_of(each) for each in node.decorator_list)

    # -- fixtures -----------------------------------------------------------------------------------------------------

    @cached_property
    def fixtures(self) -> list[Fixture]:
        found = []
        for node in self.source.functions:
            for decorator in node.decorator_list:
                dotted = self.source.dotted(_called(decorator))
                if dotted in FIXTURES and len(node.decorator_list) == 1 and self.source.function_of(node) is None:
                    found.append(Fixture(node, decorator, dotted.partition(".")[0]))
        return found

    @cached_property
    def _fixture_nodes(self) -> set[ast.AST]:
        return {fixture.node for fixture in self.fixtures}

    @cached_property
    def _test_nodes(self) -> set[ast.AST]:
        return {test.node for test in self.tests}

    def is_fixture(self, node: ast.AST) -> bool:
        return node in self._fixture_nodes

    def is_test(self, node: ast.AST) -> bool:
        return node in self._test_nodes

    def runs_on_asyncio(self, fixture: Fixture) -> bool:
        """Whether pytest-asyncio certainly runs an async fixture."""
        if fixture.library == "pytest_asyncio":
            return True
        text = self.source.text + self.suite.around(self.folder)
        return self.configuration.asyncio_mode == "auto" and "anyio" not in text and "trio" not in text

    def the_yield(self, function: FunctionNode) -> ast.Expr | None:
        """The only yield of a fixture, where it is a statement in its body itself or in blocks of it."""
        yields = [node for node in self.source.own(function) if isinstance(node, (ast.Yield, ast.YieldFrom))]
        if len(yields) != 1 or not isinstance(yields[0], ast.Yield):
            return None
        parent = self.source.parents[yields[0]]
        return parent if isinstance(parent, ast.Expr) else None

    # -- coroutine functions ------------------------------------------------------------------------------------------

    def doubt_about_coroutine(self, call: ast.expr) -> str:
        """Why a call is not known to give a coroutine; "" when it certainly gives one."""
        if not isinstance(call, ast.Call):
            return "what is awaited is no call"
        return "" if self.is_coroutine_function(call.func, call) else "the callee is not a known coroutine function"

    def is_coroutine_function(self, func: ast.expr, place: ast.AST) -> bool:
        dotted = self.source.dotted_at(func, place)
        if dotted:
            is_method = definition_in_suite(self.source, dotted) is None
            if is_method and self._is_replaced(dotted.rpartition(".")[2]):
                return dotted in _COROUTINE_FUNCTIONS
            return dotted in _COROUTINE_FUNCTIONS or self.is_async_in_suite(dotted)
        if isinstance(func, ast.Name):
            return self._is_local_coroutine_function(func.id, place)
        if isinstance(func, ast.Attribute):
            return self._is_coroutine_method(func, place)
        return False

    def _is_local_coroutine_function(self, name: str, place: ast.AST) -> bool:
        node = self.source.visible(name, place)
        if isinstance(node, ast.AsyncFunctionDef):
            return self._keeps_nature(node) and not self.source.is_generator(node)
        value = self.bound_in_function(name, place)
        return isinstance(value, ast.Call) and self.source.dotted_at(value.func, place) == "unittest.mock.AsyncMock"

    def bound_in_function(self, name: str, place: ast.AST) -> ast.expr | None:
        """What the only binding of a name gives it, where that stands before in a straight line to the place."""
        function = self.source.function_of(place)
        if not isinstance(function, FUNCTIONS):
            return None
        binders = self.source.bound_within(function, name)
        if len(binders) != 1:
            return None
        parent = self.source.parents[binders[0]]
        if isinstance(parent, ast.withitem) and parent.optional_vars is binders[0]:
            block = self.source.parents[parent]
            return parent.context_expr if block in self.source.ancestors(place) else None
        if not isinstance(parent, (ast.Assign, ast.AnnAssign)) or parent.value is None:
            return None
        if isinstance(parent, ast.Assign) and (len(parent.targets) != 1 or parent.targets[0] is not binders[0]):
            return None
        home = self.source.parents[parent]
        is_before = parent.lineno < self.source.statement_of(place).lineno
        return parent.value if is_before and home in self.source.ancestors(place) else None

    def annotation_of(self, name: str, place: ast.AST) -> str:
        """The full name of a parameter's annotation, where nothing else in the function binds the name."""
        function = self.source.function_of(place)
        if not isinstance(function, FUNCTIONS):
            return ""
        binders = self.source.bound_within(function, name)
        if len(binders) == 1 and isinstance(binders[0], ast.arg):
            return self.source.dotted(binders[0].annotation)
        return ""

    def _is_coroutine_method(self, func: ast.Attribute, place: ast.AST) -> bool:
        source = self.source
        value = self.set_in_function(func, place)
        if value is not None:
            return isinstance(value, ast.Call) and source.dotted_at(value.func, place) == "unittest.mock.AsyncMock"
        if self._is_replaced(func.attr):
            return False
        owner = func.value
        function = source.function_of(place)
        if isinstance(owner, ast.Name) and isinstance(function, FUNCTIONS) and owner.id in ("self", "cls"):
            klass = source.class_of(function)
            return klass is not None and method_is_async(source, klass, func.attr) is True
        if isinstance(owner, ast.Name):
            klass_itself = source.visible(owner.id, place)
            if isinstance(klass_itself, ast.ClassDef):
                return method_is_async(source, klass_itself, func.attr) is True
            annotated = self.annotation_of(owner.id, place)
            if annotated in _LIBRARY_METHODS:
                return func.attr in _LIBRARY_METHODS[annotated]
            value = self.bound_in_function(owner.id, place)
        else:
            value = owner if isinstance(owner, ast.Call) else None
        if not isinstance(value, ast.Call):
            return False
        built = source.dotted_at(value.func, place)
        if built in _LIBRARY_METHODS:
            return func.attr in _LIBRARY_METHODS[built]
        if isinstance(owner, ast.Name) and isinstance(source.parents.get(value), ast.withitem):
            return False
        if built:
            found = definition_in_suite(source, built)
            if found is None or not isinstance(found[1], ast.ClassDef):
                return False
            return method_is_async(found[0], found[1], func.attr) is True
        local = source.visible(value.func.id, place) if isinstance(value.func, ast.Name) else None
        return isinstance(local, ast.ClassDef) and method_is_async(source, local, func.attr) is True

    def _is_replaced(self, method: str) -> bool:
        """Whether the file, or a conftest.py around it, sets an attribute of that name on anything."""
        around = [self.suite.source(path) for path in self.suite.conftests(self.folder)]
        return any(source is None or method in source.attributes_set for source in (self.source, *around))

    def set_in_function(self, attribute: ast.Attribute, place: ast.AST) -> ast.expr | None:
        """What the only assignment of `m.send` gives it in a function, where that stands before in a straight line."""
        function = self.source.function_of(place)
        if not isinstance(function, FUNCTIONS):
            return None
        text = ast.unparse(attribute)
        found = [
            statement
            for statement in self.source.own_of(function, ast.Assign)
            if any(ast.unparse(target) == text for target in statement.targets)
        ]
        if len(found) != 1 or len(found[0].targets) != 1:
            return None
        is_before = found[0].lineno < self.source.statement_of(place).lineno
        home = self.source.parents[found[0]]
        return found[0].value if is_before and home in self.source.ancestors(place) else None

    def is_async_in_suite(self, dotted: str) -> bool:
        """Whether a full name is that of a coroutine function of the suite, or of a method of one of its classes."""
        found = definition_in_suite(self.source, dotted)
        if found is not None:
            source, node = found
            return isinstance(node, ast.AsyncFunctionDef) and not node.decorator_list and not source.is_generator(node)
        owner, _, method = dotted.rpartition(".")
        klass = definition_in_suite(self.source, owner)
        if klass is None or not isinstance(klass[1], ast.ClassDef):
            return False
        return method_is_async(klass[0], klass[1], method) is True

    # -- mocks --------------------------------------------------------------------------------------------------------

    def mock_kind(self, node: ast.expr, place: ast.AST) -> str:
        """Mock, MagicMock, AsyncMock or patch (one of these) where something is a mock in view, "" where it is none.

        A name that the function binds to one, or that a patch gives it; an attribute that was set to one; and
        what such a mock makes by itself.
        """
        if isinstance(node, ast.Attribute):
            value = self.set_in_function(node, place)
            if value is not None:
                return self._kind_made_by(value)
            if node.attr in self.source.attributes_set or node.attr.startswith("assert"):
                return ""
            is_known = bool(self.mock_kind(node.value, place)) and not self.may_have_other_children(node.value, place)
            return "patch" if is_known else ""
        if not isinstance(node, ast.Name):
            return ""
        value = self.bound_in_function(node.id, place)
        if value is not None:
            return self._kind_made_by(value)
        return "patch" if self._is_injected(node.id, place) else ""

    def _kind_made_by(self, value: ast.expr) -> str:
        """What kind of mock an expression makes."""
        if not isinstance(value, ast.Call):
            return ""
        dotted = self.source.dotted(value.func)
        keywords = {each.arg for each in value.keywords}
        if dotted in MOCKS:
            is_plain = not value.args and keywords.isdisjoint({None, "spec", "spec_set", "wraps", "unsafe"})
            return dotted.rpartition(".")[2] if is_plain else ""
        is_entered = isinstance(self.source.parents[value], ast.withitem)
        return "patch" if is_entered and self._makes_mock(value) else ""

    def _makes_mock(self, patch: ast.expr) -> bool:
        """Whether a `patch` puts a mock of its own choice there."""
        if not isinstance(patch, ast.Call):
            return False
        dotted = self.source.dotted(patch.func)
        at = {"unittest.mock.patch": 1, "unittest.mock.patch.object": 2}.get(dotted, 0)
        return len(patch.args) == at and {each.arg for each in patch.keywords} <= {"return_value", "side_effect"}

    def _is_injected(self, name: str, place: ast.AST) -> bool:
        """Whether a name is a parameter that a `@patch` of the function fills."""
        function = self.source.function_of(place)
        if not isinstance(function, FUNCTIONS) or len(self.source.bound_within(function, name)) != 1:
            return False
        patches = [each for each in function.decorator_list if self.source.dotted(_called(each)) in _KEEPERS]
        # One that is told what to put there gives no parameter, and decorators of other kinds might.
        if not self._keeps_nature(function) or not all(self._makes_mock(each) for each in patches):
            return False
        parameters = self.parameters(function)[: len(patches)]
        return name in [each.arg for each in parameters]

    def may_have_other_children(self, mock: ast.expr, place: ast.AST) -> bool:
        """Whether a mock was passed before to a function of the file, which may give it other children."""
        function = self.source.function_of(place)
        while isinstance(mock, ast.Attribute):
            mock = mock.value
        if not isinstance(function, FUNCTIONS) or not isinstance(mock, ast.Name):
            return True
        for call in self.source.of(ast.Call):
            if call.lineno > getattr(place, "lineno", 0) or function not in self.source.ancestors(call):
                continue
            given = [*call.args, *(each.value for each in call.keywords)]
            if any(isinstance(each, ast.Name) and each.id == mock.id for each in given):
                root: ast.expr = call.func
                while isinstance(root, ast.Attribute):
                    root = root.value
                is_class = isinstance(root, ast.Name) and isinstance(self.source.visible(root.id, call), ast.ClassDef)
                if not self.source.dotted(call.func) and not is_class:
                    return True
        return False


# -- other files -------------------------------------------------------------------------------------------------------


def definition_in_suite(importer: Source, dotted: str, hops: int = _HOPS) -> tuple[Source, ast.AST] | None:
    """The function or class of the suite behind a full name, where nothing else has that name."""
    module, _, name = dotted.rpartition(".")
    if not module:
        return None
    if set(dotted[: len(dotted) - len(dotted.lstrip("."))]) == {"."} and not module.strip("."):
        module = dotted[: len(dotted) - len(dotted.lstrip("."))]
    path = importer.suite.module(module, Path(importer.path))
    if path is None:
        return None
    source = importer.suite.source(path)
    if source is None:
        return None
    binders = source.top_level.get(name, [])
    if len(binders) != 1:
        return None
    node = binders[0]
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return source, node
    if isinstance(node, ast.ImportFrom) and hops:
        alias = next(each for each in node.names if (each.asname or each.name) == name)
        separator = "." if node.module else ""
        return definition_in_suite(source, f"{'.' * node.level}{node.module or ''}{separator}{alias.name}", hops - 1)
    return None


def method_is_async(source: Source, klass: ast.ClassDef, name: str, hops: int = _HOPS) -> bool | None:
    """Whether a class's method is a coroutine function; None where its bases leave that open."""
    if klass.keywords or klass.decorator_list or _binds(klass, "__new__"):
        return None
    binders = [
        each for each in klass.body if name in {bound for node in _shallow(each) for bound in names_bound_by(node)}
    ]
    if binders:
        node = binders[0]
        if len(binders) != 1 or not isinstance(node, ast.AsyncFunctionDef):
            return False
        names = {source.dotted(each) for each in node.decorator_list}
        return names <= {"builtins.staticmethod", "builtins.classmethod"} and not source.is_generator(node)
    if any("__getattr" in bound for each in klass.body for bound in names_bound_by(each)):
        return None
    for base in klass.bases:
        local = source.only(base.id) if isinstance(base, ast.Name) else None
        dotted = source.dotted(base)
        if dotted in _HARMLESS_BASES:
            continue
        found = (source, local) if isinstance(local, ast.ClassDef) else definition_in_suite(source, dotted)
        if found is None or not isinstance(found[1], ast.ClassDef) or not hops:
            return None
        answer = method_is_async(found[0], found[1], name, hops - 1)
        if answer is not False or _binds(found[1], name):
            return answer
    return False


def _binds(klass: ast.ClassDef, name: str) -> bool:
    return any(name in names_bound_by(node) for each in klass.body for node in _shallow(each))


def _shallow(statement: ast.stmt) -> Iterator[ast.AST]:
    yield statement
    if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        yield from ast.walk(statement)


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _matches(name: str, patterns: list[str]) -> bool:
    return any(name.startswith(pattern) or fnmatch(name, pattern) for pattern in patterns)


def _joined(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    return None if one is None or other is None else one | other
