"""Fixtures: the functions under `pytest.fixture` or `pytest_asyncio.fixture`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.lazy import lazy
from flake8_async_tests.source.calls import has_double_star, keyword_value
from flake8_async_tests.source.decorators import FAKE_CLIENT, FIXTURE
from flake8_async_tests.source.marks import NO_MARKS, marks_of_parameters
from flake8_async_tests.source.names import word_of

if TYPE_CHECKING:
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.decorators import Decorator
    from flake8_async_tests.source.functions import Class, Function
    from flake8_async_tests.source.marks import Marks
    from flake8_async_tests.source.module import Module

_FIXTURE_MAKERS = frozenset(FIXTURE)

SCOPES = ("function", "class", "module", "package", "session")
"""From the narrowest to the widest."""

MOCK_DEFAULT = "unittest.mock.DEFAULT"
"""What asks `patch` for a mock of its own, and to pass it on."""

_GIVEN = "hypothesis.given"
_PATCH_DICT = "unittest.mock.patch.dict"

EVENT_LOOP = "event_loop"
"""The fixture that pytest-asyncio had up to 0.26."""


class Fixture:
    """A fixture function. A scope of None cannot be known: it is given by a variable or a callable."""

    def __init__(self, function: Function, decorator: Decorator) -> None:
        self.function = function
        self.decorator = decorator
        self.library = decorator.fixture_library

    def __repr__(self) -> str:
        return f"<Fixture {self.name} of {self.module.path}>"

    @property
    def module(self) -> Module:
        return self.function.module

    @property
    def place(self) -> tuple[str, int]:
        """The file and line: the same for two readings of one file at two times."""
        return self.module.path, self.function.node.lineno

    @property
    def klass(self) -> Class | None:
        return self.function.klass

    @property
    def is_async(self) -> bool:
        return self.function.is_async

    @lazy
    def name(self) -> str:
        return self.name_under(self.function.name)

    def name_under(self, attribute: str) -> str:
        """The name by which it is asked for where it stands under an attribute: `name=`, else that attribute."""
        given = self._literal("name", default="")
        return given if isinstance(given, str) and given else attribute

    @lazy
    def scope(self) -> str | None:
        given = self._literal("scope", default="function")
        return given if given in SCOPES else None

    @lazy
    def own_loop_scope(self) -> str | None:
        """The literal `loop_scope` argument; "" when none is given, None when it cannot be known."""
        given = self._literal("loop_scope", default="")
        return given if isinstance(given, str) else None

    @lazy
    def is_autouse(self) -> bool:
        """Whether it is certainly or possibly used without being asked for."""
        return bool(self._literal("autouse", default=False, unknown=True))

    @lazy
    def marks_it_gives(self) -> Marks:
        """The marks of its parameter sets, which whatever asks for it gets."""
        params = keyword_value(self.decorator.call, "params") if self.decorator.call is not None else None
        return marks_of_parameters(self.module, params, self.function.outer) if params is not None else NO_MARKS

    @lazy
    def requests(self) -> tuple[str, ...]:
        """The names of the fixtures that it asks for."""
        return requested_names(self.function)

    def _literal(self, keyword: str, *, default: object, unknown: object = None) -> object:
        call = self.decorator.call
        if call is None:
            return default
        value = keyword_value(call, keyword)
        if value is None:
            return unknown if has_double_star(call) else default
        value = self.module.value_of(value, self.function.outer)
        return value.value if isinstance(value, ast.Constant) else unknown


def fixture_of(function: Function) -> Fixture | None:
    """The fixture that a function is, or None."""
    if any(_may_make_fixture(function.module, node) for node in function.node.decorator_list):
        for decorator in function.decorators:
            if decorator.fixture_library:
                return Fixture(function, decorator)
    return None


def _may_make_fixture(module: Module, decorator: ast.expr) -> bool:
    """By its last word: a plain name may stand for anything, even for a call; another file may call it differently."""
    if decorator.__class__ is ast.Name:
        return True
    word = word_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return word.endswith("fixture") or word in module.names.tails_of_all(_FIXTURE_MAKERS)


def requested_names(function: Function) -> tuple[str, ...]:
    """The parameters that pytest fills: all without a default, `self`, injected mocks and drawn examples left out."""
    node = function.node
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        positional = positional[: -len(arguments.defaults)]
    names = [argument.arg for argument in positional]
    is_static = any(decorator.name == "builtins.staticmethod" for decorator in function.decorators)
    if function.is_method and not is_static:
        names = names[1:]
    names = names[injected_mocks(function) :]
    names += [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    drawn = _drawn_by_hypothesis(function)
    return tuple(name for name in names if name not in drawn) if drawn else tuple(names)


def _drawn_by_hypothesis(function: Function) -> set[str]:
    """The parameters that `given` fills: by keyword, and by position from the right; all where that cannot be read."""
    found: set[str] = set()
    for decorator in function.decorators:
        if decorator.name == _GIVEN and decorator.call is not None:
            call, arguments = decorator.call, function.node.args
            if has_double_star(call) or any(map(_is_open, call.args)):
                return set(function.parameters)
            positional = [*arguments.posonlyargs, *arguments.args][-len(call.args) :] if call.args else []
            found.update(argument.arg for argument in positional)
            found.update(keyword.arg for keyword in call.keywords if keyword.arg is not None)
    return found


def _is_open(argument: ast.expr) -> bool:
    """`*strategies`, or `...`, for which hypothesis looks at the annotations."""
    return isinstance(argument, ast.Starred) or (isinstance(argument, ast.Constant) and argument.value is ...)


def late_requests(function: Function) -> list[Call]:
    """The calls of `request.getfixturevalue` in a function."""
    return [call for call in function.module.method_calls("getfixturevalue") if call.scope is function.scope]


def name_requested_late(call: Call) -> str:
    """The literal name in a call of `getfixturevalue`, "" where there is none."""
    argument = call.argument(0, "argname")
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""


def injected_mocks(function: Function) -> int:
    """How many leading parameters the `patch` decorators fill, those on a test method's class included."""
    decorators = list(function.decorators)
    if function.klass is not None and function.name.startswith("test"):
        decorators += [decorator for klass in function.klass.family for decorator in klass.decorators]
    return sum(1 for decorator in decorators if decorator.is_patch and injects_mock(decorator))


def doubles_before_mocks(function: Function) -> int:
    """How many leading parameters take the double of a client, and come before the mocks of the `patch` decorators.

    What `patch` has wrapped once adds the mocks of all other patches, too, behind what a decorator over it has given.
    """
    decorators = function.decorators
    return sum(
        1
        for place, decorator in enumerate(decorators)
        if decorator.name == FAKE_CLIENT
        and (decorator.call is None or keyword_value(decorator.call, "param") is None)
        and any(inner.is_patch and inner.name != _PATCH_DICT for inner in decorators[place + 1 :])
    )


def injects_mock(decorator: Decorator) -> bool:
    """Whether a `patch` decorator passes its mock as an argument: it does unless it was told what to put there."""
    call = decorator.call
    if call is None or decorator.name in (_PATCH_DICT, "unittest.mock.patch.multiple"):
        return False
    position = 2 if decorator.name == "unittest.mock.patch.object" else 1
    new = call.args[position] if len(call.args) > position else keyword_value(call, "new")
    return new is None or decorator.qualified(new) == MOCK_DEFAULT
