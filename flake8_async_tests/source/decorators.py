"""What a decorator does to the coroutine function under it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

PATCH = frozenset(
    {"unittest.mock.patch", "unittest.mock.patch.object", "unittest.mock.patch.multiple", "unittest.mock.patch.dict"}
)

# The double of aiohttp's client: it gives itself to the function, after what that gets from further out.
FAKE_CLIENT = "aioresponses.aioresponses"

# Under these a coroutine function stays one, and pytest or unittest still collects it under its name.
_KEEPERS = PATCH | {
    FAKE_CLIENT,
    "allure.description",
    "allure.epic",
    "allure.feature",
    "allure.id",
    "allure.issue",
    "allure.label",
    "allure.link",
    "allure.severity",
    "allure.story",
    "allure.suite",
    "allure.tag",
    "allure.testcase",
    "allure.title",
    "builtins.classmethod",
    "builtins.staticmethod",
    "django.test.modify_settings",
    "django.test.override_settings",
    "django.test.tag",
    "flaky.flaky",
    "freezegun.freeze_time",
    "hypothesis.assume",
    "hypothesis.example",
    "hypothesis.given",
    "hypothesis.note",
    "hypothesis.reproduce_failure",
    "hypothesis.seed",
    "hypothesis.settings",
    "responses.activate",
    "respx.mock",
    "time_machine.travel",
    "typing.final",
    "typing.no_type_check",
    "typing.override",
    "typing_extensions.final",
    "typing_extensions.override",
    "unittest.expectedFailure",
    "unittest.skip",
    "unittest.skipIf",
    "unittest.skipUnless",
}
FIXTURE = {"pytest.fixture": "pytest", "pytest.yield_fixture": "pytest", "pytest_asyncio.fixture": "pytest_asyncio"}
MARK = "pytest.mark."
_MARK_ASSIGNED = re.compile(rb"^(\w+) *(?::[^=\n]*)?= *(?:\w+\.)*mark\.", re.MULTILINE)
_FIXTURE_ASSIGNED = re.compile(rb"^(\w+) *(?::[^=\n]*)?= *(?:\w+\.)*fixture\b", re.MULTILINE)
_FIXTURE_IMPORTED = re.compile(
    rb"^from +pytest(?:_asyncio)? +import +(\([^)]*\bfixture\b[^)]*\)|.*\bfixture\b.*)", re.MULTILINE
)
_WORD = re.compile(rb"\w+")
_FOREIGN = frozenset({"builtins", "functools", "pytest", "unittest"})


class Decorator:
    """One decorator: its expression, the call if it is one, and its qualified name if it has one."""

    __slots__ = ("_module", "_scope", "call", "name", "node")

    def __init__(self, module: Module, node: ast.expr, scope: Scope) -> None:
        self._module = module
        self._scope = scope
        self.node = node
        target = module.value_of(node, scope) if node.__class__ is ast.Name else node
        self.call = target if isinstance(target, ast.Call) else None
        self.name = module.qualified(self.call.func if self.call else node, scope)
        if self.name and self.call is None:
            self.name, self.call = mark_of_project(module, self.name)
        if self.name:
            self.name, made_by = fixture_of_project(module, self.name)
            self.call = self.call or made_by

    def qualified(self, node: ast.expr) -> str:
        """The dotted name of something that it is given."""
        return self._module.qualified(node, self._scope)

    @property
    def is_mark(self) -> bool:
        return self.name.startswith(MARK)

    @property
    def is_patch(self) -> bool:
        return self.name in PATCH

    @property
    def fixture_library(self) -> str:
        """`pytest` or `pytest_asyncio` when this makes a fixture, else ""."""
        return FIXTURE.get(self.name, "")

    @property
    def is_pytests_own(self) -> bool:
        return self.is_mark or bool(self.fixture_library)


def mark_of_project(module: Module, name: str) -> tuple[str, ast.Call | None]:
    """The mark that another file of the project has under a name, and the call that made it; else the name alone.

    Of `parametrize` nothing: what it is given means something in that file, and not where the mark is put. Nor of a
    `usefixtures` that is given more than plain strings.
    """
    other, word = _home_of(module, name, _names_of_marks)
    value = other.names.assigned_value(word, other.scope) if other is not None else None
    if other is None or value is None:
        return name, None
    call = value if isinstance(value, ast.Call) else None
    found = other.qualified(call.func if call else value, other.scope)
    means_something_there = found == f"{MARK}parametrize" or (
        found == f"{MARK}usefixtures"
        and call is not None
        and not all(isinstance(each, ast.Constant) for each in call.args)
    )
    return (found, call) if found.startswith(MARK) and not means_something_there else (name, None)


def fixture_of_project(module: Module, name: str) -> tuple[str, ast.Call | None]:
    """The same for what makes fixtures: `fixture = pytest.fixture`, or imported there from pytest."""
    other, word = _home_of(module, name, _names_of_fixture_makers)
    if other is None:
        return name, None
    value = other.names.assigned_value(word, other.scope)
    call = value if isinstance(value, ast.Call) else None
    found = other.names.qualified(call.func if call else ast.Name(word, ast.Load()), other.scope)
    return (found, call) if found in FIXTURE else (name, None)


def _home_of(
    module: Module, name: str, names_said_in: Callable[[bytes], frozenset[bytes]]
) -> tuple[Module | None, str]:
    """The other file of the project that has something under a name, if by its text it may be of a kind."""
    home, _, word = name.rpartition(".")
    if home.partition(".")[0] in _FOREIGN or not module.project.may_have(home, module.directory):
        return None, word
    path = module.project.find_import(home, module)
    if path is None or word.encode() not in (module.project.said_in(path, names_said_in) or ()):
        return None, word
    return module.project.module_at(path), word


def _names_of_marks(content: bytes) -> frozenset[bytes]:
    """What may be a mark at the top of a file, by its text: parsing it takes longer."""
    return frozenset(_MARK_ASSIGNED.findall(content))


def _names_of_fixture_makers(content: bytes) -> frozenset[bytes]:
    """The same for what may make fixtures."""
    if b"fixture" not in content:
        return frozenset()
    imported = (word for names in _FIXTURE_IMPORTED.findall(content) for word in _WORD.findall(names))
    return frozenset((*_FIXTURE_ASSIGNED.findall(content), *imported))


def keeps_plain_function(decorator: Decorator) -> bool:
    """Whether what comes out of a decorator is certainly as little a coroutine function as what went in."""
    return decorator.is_pytests_own or decorator.name in _KEEPERS


def keeps_coroutine_function(module: Module, decorator: Decorator, scope: Scope) -> bool:
    """Whether what comes out of a decorator is certainly still the coroutine function, or awaits it as one."""
    if keeps_plain_function(decorator):
        return True
    called = decorator.call is not None
    node = decorator.call.func if decorator.call else decorator.node
    definition = module.names.definition(node, scope)
    if not isinstance(definition, ast.FunctionDef):
        return False
    known = module.fact(_wrappers)
    if (definition, called) not in known:
        known[definition, called] = _wraps_in_async(module, definition, factory=called)
    return known[definition, called]


def _wrappers(_: Module) -> dict[tuple[ast.FunctionDef, bool], bool]:  # filled when one is asked for
    return {}


def _wraps_in_async(module: Module, function: ast.FunctionDef, *, factory: bool) -> bool:
    """Whether a local decorator gives back an `async def` of its own, directly or, as a factory, one level down.

    Or the very function that it got.
    """
    decorator = module.function_of_node(function)
    # Wherever it returns: it may have one wrapper for coroutine functions and another one for the rest.
    returned = list(decorator.values_returned()) if decorator is not None else []
    if decorator is not None and not factory and returned and _gives_back_what_it_got(decorator, returned):
        return True
    inner: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    for node in ast.walk(function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node is not function:
            inner.setdefault(node.name, []).append(node)
    targets = [inner.get(value.id, []) if isinstance(value, ast.Name) else [] for value in returned]
    return bool(targets) and all(
        found and all(_is_async_wrapper(module, target, factory=factory) for target in found) for found in targets
    )


def _gives_back_what_it_got(decorator: Function, returned: list[ast.expr | None]) -> bool:
    """Whether a decorator returns the function itself, with no more done to it than that attributes are set.

    Anything else may put a mark on it, or take it out of the collection.
    """
    arguments = decorator.node.args
    parameter = next((argument.arg for argument in (*arguments.posonlyargs, *arguments.args)), "")
    if not all(isinstance(value, ast.Name) and value.id == parameter for value in returned):
        return False
    uses = (name for name in ast.walk(decorator.node) if isinstance(name, ast.Name) and name.id == parameter)
    return all(use in returned or _has_attribute_set(decorator, use) for use in uses)


def _has_attribute_set(decorator: Function, use: ast.Name) -> bool:
    attribute = decorator.scope.parents.get(use)
    return (
        isinstance(attribute, ast.Attribute)
        and isinstance(attribute.ctx, ast.Store)
        and attribute.attr != "pytestmark"
        and not attribute.attr.startswith("__")
    )


def _is_async_wrapper(module: Module, target: ast.FunctionDef | ast.AsyncFunctionDef, *, factory: bool) -> bool:
    if isinstance(target, ast.AsyncFunctionDef):
        return _stays_async(module, target)
    return factory and _wraps_in_async(module, target, factory=False)


def _stays_async(module: Module, wrapper: ast.AsyncFunctionDef) -> bool:
    """Whether no decorator of a wrapper makes a plain function of it, one that runs the coroutine itself, say."""
    function = module.function_of_node(wrapper)
    return function is not None and all(
        decorator.name == "functools.wraps" or decorator.name in _KEEPERS for decorator in function.decorators
    )
