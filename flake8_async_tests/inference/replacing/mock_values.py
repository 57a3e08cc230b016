"""What a mock is, and which mocks unittest.mock makes of its children."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.lazy import lazy
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from flake8_async_tests.source.walk import Scope

Path = tuple[str, ...]
"""The attributes from a mock to one of its descendants: `("get", "return_value")` for what `m.get()` gives."""

RETURN_VALUE = "return_value"
SIDE_EFFECT = "side_effect"

RECORDS = frozenset(
    {
        "await_args",
        "await_args_list",
        "await_count",
        "call_args",
        "call_args_list",
        "call_count",
        "called",
        "method_calls",
        "mock_calls",
    }
)
"""What a mock keeps of its calls. Who gets one of these does not get the mock."""
# Attributes of a mock that are no children.
_OWN = RECORDS | {"attach_mock", "configure_mock", "mock_add_spec", "reset_mock", SIDE_EFFECT}
AWAIT_ASSERTIONS = frozenset(
    {
        "assert_any_await",
        "assert_awaited",
        "assert_awaited_once",
        "assert_awaited_once_with",
        "assert_awaited_with",
        "assert_has_awaits",
        "assert_not_awaited",
    }
)
"""The methods that say how often a mock was awaited, and with what."""
CALL_ASSERTIONS = frozenset(name.replace("awaited", "called").replace("await", "call") for name in AWAIT_ASSERTIONS)
BEGINNINGS_OF_ASSERTIONS = ("assert", "assret", "asert", "aseert", "assrt")
"""An attribute that begins like this is an AttributeError unless the mock was made with `unsafe=True`."""

ASYNC_DUNDERS = frozenset({"__aenter__", "__aexit__", "__anext__"})
_OF_NUMBERS = {
    ast.Add: "add",
    ast.BitAnd: "and",
    ast.FloorDiv: "floordiv",
    ast.LShift: "lshift",
    ast.MatMult: "matmul",
    ast.Mod: "mod",
    ast.Mult: "mul",
    ast.BitOr: "or",
    ast.Pow: "pow",
    ast.RShift: "rshift",
    ast.Sub: "sub",
    ast.Div: "truediv",
    ast.BitXor: "xor",
}
IN_PLACE: dict[type[ast.operator], str] = {operator: f"__i{name}__" for operator, name in _OF_NUMBERS.items()}
"""The method of a mock that gives what stands in its place after `mock += 1` and its like."""
_DUNDERS_WITH_CHILDREN = {
    "__abs__",
    "__aenter__",
    "__ceil__",
    "__delitem__",
    "__divmod__",
    "__enter__",
    "__floor__",
    "__getitem__",
    "__invert__",
    "__neg__",
    "__next__",
    "__pos__",
    "__rdivmod__",
    "__round__",
    "__setitem__",
    "__trunc__",
    *(f"__{variant}{name}__" for name in _OF_NUMBERS.values() for variant in ("", "i", "r")),
}
"""The methods of protocols whose call gives a further mock; what the other ones give is a constant."""
_DUNDERS = (
    ASYNC_DUNDERS
    | _DUNDERS_WITH_CHILDREN
    | {
        "__aiter__",
        "__bool__",
        "__complex__",
        "__contains__",
        "__eq__",
        "__exit__",
        "__float__",
        "__fspath__",
        "__ge__",
        "__gt__",
        "__hash__",
        "__index__",
        "__int__",
        "__iter__",
        "__le__",
        "__len__",
        "__lt__",
        "__ne__",
        "__sizeof__",
        "__str__",
    }
)
"""The methods of protocols that a MagicMock and an AsyncMock have, each a mock of its own."""


class MockKind(Enum):
    """The classes of mocks that are told apart."""

    PLAIN = "Mock"
    MAGIC = "MagicMock"
    ASYNC = "AsyncMock"
    UNKNOWN = "mock"
    """A mock, but what it was made for decides of which class."""

    @property
    def is_async(self) -> bool:
        """Whether its call certainly gives a coroutine."""
        return self is MockKind.ASYNC

    @property
    def is_sync(self) -> bool:
        """Whether its call certainly gives none."""
        return self in (MockKind.PLAIN, MockKind.MAGIC)


@record
class Given:
    """A value that something configured for a path of a mock, and where that is written."""

    path: Path
    value: ast.expr
    node: ast.expr | ast.keyword
    scope: Scope


class Origin:
    """The place that makes a mock."""

    def __init__(
        self,
        node: ast.expr,
        scope: Scope,
        kind: MockKind | Callable[[], MockKind],
        *,
        is_open: bool,
        is_unsafe: bool = False,
        given: tuple[Given, ...] = (),
    ) -> None:
        self.node = node
        self.scope = scope
        """The one in which the mock lives."""
        self.is_open = is_open
        """Whether its children and its call are as unittest.mock makes them: no spec, nothing wrapped or unseen."""
        self.is_unsafe = is_unsafe
        self.given = given
        self._kind = kind

    @lazy
    def kind(self) -> MockKind:
        """Worked out when it is asked for: what a patch makes depends on its target, perhaps in another file."""
        return self._kind if isinstance(self._kind, MockKind) else self._kind()


@record
class Mock:
    """A mock that an expression is: the one that was made somewhere, or a descendant of it."""

    origin: Origin
    path: Path = ()

    @property
    def is_open(self) -> bool:
        return self.origin.is_open

    @property
    def kind(self) -> MockKind:
        """That of the mock it descends from, or of the last method of a protocol on the way, which has its own."""
        if self.path and not self.is_open:
            # Its spec decides, or what it wraps.
            return MockKind.UNKNOWN
        for name in reversed(self.path):
            if is_dunder(name):
                return MockKind.ASYNC if name in ASYNC_DUNDERS else MockKind.MAGIC
        return self.origin.kind

    def child(self, name: str) -> Mock | None:
        """The mock that unittest.mock makes of an attribute; None when that is no mock."""
        if is_dunder(name):
            is_made = self.is_open and name in _DUNDERS and self.kind is not MockKind.PLAIN
        elif name == RETURN_VALUE:
            last = self.path[-1] if self.path else ""
            is_made = not is_dunder(last) or last in _DUNDERS_WITH_CHILDREN
        else:
            is_made = name not in _OWN and not name.startswith(BEGINNINGS_OF_ASSERTIONS)
        return Mock(self.origin, (*self.path, name)) if is_made else None


def is_dunder(name: str) -> bool:
    """Whether a method of Python's protocols is called so."""
    return name.startswith("__") and name.endswith("__")
