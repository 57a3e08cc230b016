"""What a mock is, and which mocks unittest.mock makes of its children."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from flake8_async_tests.source.walk import Scope

Path = tuple[str, ...]
"""The attributes from a mock to one of its descendants: `("get", "return_value")` for what `m.get()` gives."""

RETURN_VALUE = "return_value"
SIDE_EFFECT = "side_effect"

# Attributes of a mock that are no children.
_OWN = frozenset(
    {
        "attach_mock",
        "await_args",
        "await_args_list",
        "await_count",
        "call_args",
        "call_args_list",
        "call_count",
        "called",
        "configure_mock",
        "method_calls",
        "mock_add_spec",
        "mock_calls",
        "reset_mock",
        SIDE_EFFECT,
    }
)
BEGINNINGS_OF_ASSERTIONS = ("assert", "assret", "asert", "aseert", "assrt")
"""An attribute that begins like this is an AttributeError unless the mock was made with `unsafe=True`."""

_ASYNC_DUNDERS = frozenset({"__aenter__", "__aexit__", "__anext__"})
_SYNC_DUNDERS = frozenset({"__aiter__", "__enter__", "__exit__", "__getitem__", "__iter__"})
# Those whose call gives a further mock; what the other ones give is a constant.
_DUNDERS_WITH_CHILDREN = frozenset({"__aenter__", "__enter__", "__getitem__"})


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


@dataclass(frozen=True, slots=True)
class Given:
    """A value that something configured for a path of a mock, and where that is written."""

    path: Path
    value: ast.expr
    node: ast.expr | ast.keyword
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The place that makes a mock."""

    node: ast.expr
    scope: Scope
    """The one in which the mock lives."""
    kind: MockKind
    is_open: bool
    """Whether its children and its call are as unittest.mock makes them: no spec, nothing wrapped, nothing unseen."""
    is_unsafe: bool = False
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Mock:
    """A mock that an expression is: the one that was made somewhere, or a descendant of it."""

    origin: Origin
    path: Path
    kind: MockKind

    @property
    def is_open(self) -> bool:
        return self.origin.is_open


def child_kind(mock: Mock, name: str) -> MockKind | None:
    """What unittest.mock makes of an attribute of a mock; None when that is no mock."""
    if not mock.is_open:
        # Its spec decides, or what it wraps.
        return None if _is_dunder(name) or _is_own(name) else MockKind.UNKNOWN
    if _is_dunder(name):
        if mock.kind is MockKind.PLAIN:
            return None
        if name in _ASYNC_DUNDERS:
            return MockKind.ASYNC
        return MockKind.MAGIC if name in _SYNC_DUNDERS else None
    if name == RETURN_VALUE:
        last = mock.path[-1] if mock.path else ""
        return None if _is_dunder(last) and last not in _DUNDERS_WITH_CHILDREN else mock.kind
    return None if _is_own(name) else mock.kind


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_own(name: str) -> bool:
    return name in _OWN or name.startswith(BEGINNINGS_OF_ASSERTIONS)
