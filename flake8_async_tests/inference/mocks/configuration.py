"""What was configured for a mock when a place is reached: in the function itself, and wherever else it is in reach."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.events import Places, When, start_of
from flake8_async_tests.inference.mocks.ledger import Ledger, keys_of
from flake8_async_tests.inference.replacing.mock_values import SIDE_EFFECT, Given
from flake8_async_tests.inference.values.bindings import outermost_of
from flake8_async_tests.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.inference.mocks.events import Event
    from flake8_async_tests.inference.mocks.known import Mocks
    from flake8_async_tests.inference.mocks.ledger import Timeline
    from flake8_async_tests.inference.replacing.mock_values import Mock, Origin, Path
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


class Setting(Enum):
    """What is known of a value that is not to be seen."""

    NONE = "nothing was given"
    UNKNOWN = "something may have been given"


class Configuration:
    """What configures the mocks of one file."""

    def __init__(self, module: Module, mocks: Mocks) -> None:
        self._module = module
        self._mocks = mocks
        self._places = Places(module)
        self._ledgers: dict[Scope, Ledger] = {}
        self._roots: dict[Scope, Scope] = {}
        self._elsewhere: dict[Scope, _Elsewhere] = {}
        self._used_before: dict[tuple[Origin, tuple[str, ...], Event], bool] = {}

    def read(self, scope: Scope) -> None:
        """Read what configures mocks in the function around a scope, unless that was done."""
        self._ledger(self._root(scope))

    def setting(self, mock: Mock, name: str, node: ast.expr, scope: Scope) -> Given | Setting:
        """What an attribute of a mock was set to when a place is reached."""
        path = (*mock.path, name)
        found = self._set_here(mock.origin, path, node, scope) or self._set_elsewhere(mock.origin, path, scope)
        if found is None:
            found = next((given for given in reversed(mock.origin.given) if given.path == path), Setting.NONE)
            if found is Setting.NONE and self._may_be_set_unseen(mock, path, node, scope):
                return Setting.UNKNOWN
        return Setting.NONE if isinstance(found, Given) and _is_no_effect(found) else found

    def ever_given(self, mock: Mock, name: str, scope: Scope) -> list[Given | None]:
        """All that an attribute of a mock is given anywhere, seen from a scope; None for what cannot be seen."""
        path = (*mock.path, name)
        own, home = self._root(scope), self._root(mock.origin.scope)
        found: list[Given | None] = [given for given in mock.origin.given if given.path == path]
        for root in dict.fromkeys((home, own)):
            for timeline in self._ledger(root).values(mock.origin, path):
                found += [event.given for event in timeline.all()]
        if home is not own and self._reaching(home).gives(mock.origin, path, own):
            found.append(None)
        return [given for given in found if given is None or not _is_no_effect(given)]

    # -- in the function that asks -----------------------------------------------------------------------------------

    def _set_here(self, origin: Origin, path: Path, node: ast.expr, scope: Scope) -> Given | Setting | None:
        last: Event | None = None
        for timeline in self._ledger(self._root(scope)).values(origin, path):
            if timeline.is_in_other_than(scope) or self._comes_round(timeline, origin, node, scope):
                return Setting.UNKNOWN
            for event in timeline.before(start_of(node), scope):
                when = self._places.when(event, node, scope)
                if when is When.PERHAPS:
                    return Setting.UNKNOWN
                if when is When.BEFORE:
                    last = event if last is None or event.end > last.end else last
                    break
        if last is None:
            return None
        return last.given or Setting.UNKNOWN

    def _comes_round(self, timeline: Timeline, origin: Origin, node: ast.expr, scope: Scope) -> bool:
        """Whether something further down in a loop is there the next time."""
        end = self._places.end_of_rounds(node, scope, origin)
        return end is not None and timeline.is_between(start_of(node), end, scope)

    # -- in other functions ------------------------------------------------------------------------------------------

    def _set_elsewhere(self, origin: Origin, path: Path, scope: Scope) -> Given | Setting | None:
        own, home = self._root(scope), self._root(origin.scope)
        if home is own:
            return None
        if self._reaching(home).gives(origin, path, own):
            return Setting.UNKNOWN
        events = [event for timeline in self._ledger(home).values(origin, path) for event in timeline.all()]
        if not all(event.scope is home and self._places.is_certain(event) for event in events):
            return Setting.UNKNOWN
        last = max(events, key=lambda event: event.end, default=None)
        return None if last is None else last.given or Setting.UNKNOWN

    def _reaching(self, home: Scope) -> _Elsewhere:
        """What other functions do to the mocks that live in the module, or in a set-up method."""
        found = self._elsewhere.get(home)
        if found is None:
            # Set before it is filled: what configures mocks elsewhere asks for mocks itself.
            found = self._elsewhere[home] = _Elsewhere()
            others = self._using_module if home is self._module.scope else self._methods_around(home)
            for root in others:
                if root is not home:
                    found.add(root, self._ledger(root))
        return found

    @property
    def _using_module(self) -> Iterable[Scope]:
        """The functions that may configure a mock of the module."""
        shared = {name for name in self._module.scope.bindings if name in self._mocks.names.names}
        for root, scopes in self._scopes_by_root.items():
            if any(name.id in shared for scope in scopes for name in scope.loads):
                yield root

    def _methods_around(self, home: Scope) -> Iterator[Scope]:
        """The methods besides tests that may configure what one of them gave to `self`."""
        function = self._module.function_at(home)
        klass = function.klass if function is not None else None
        for each in (*klass.lineage, *klass.subclasses) if klass is not None else ():
            for method in each.methods.values():
                if not method.name.startswith("test"):
                    yield method.scope

    # -- by what cannot be seen --------------------------------------------------------------------------------------

    def _may_be_set_unseen(self, mock: Mock, path: Path, node: ast.expr, scope: Scope) -> bool:
        """Whether the mock was handed to what may configure it, before the attribute was ever looked at."""
        own, home = self._root(scope), self._root(mock.origin.scope)
        if self._runs_later(mock, scope):
            return True
        if home is not own and (
            self._reaching(home).hands_on(mock.origin, path, own) or self._ledger(home).hands_on(mock.origin, path)
        ):
            return True
        for timeline in self._ledger(own).hands_on(mock.origin, path):
            for event in timeline.all():
                if event.scope is not scope:
                    return True
                if event.end > start_of(node) and not self._comes_round(timeline, mock.origin, node, scope):
                    break
                if self._places.when(event, node, scope) is not When.NEVER:
                    if not self._is_used_before(mock, node, event, scope):
                        return True
                    break
        return False

    def _runs_later(self, mock: Mock, scope: Scope) -> bool:
        """Whether a scope is one that a fixture or helper hands out with the mock, which others may configure."""
        root = self._root(scope)
        if scope is root or mock.origin.scope is scope:
            return False
        return self._module.test_of(self._module.function_at(root)) is None

    def _is_used_before(self, mock: Mock, node: ast.expr, event: Event, scope: Scope) -> bool:
        """Whether the same attribute was already looked at when the mock was handed to something."""
        shape, root = _shape(node)
        if root is None:
            return False
        key = (mock.origin, (root.id, *shape), event)
        found = self._used_before.get(key)
        if found is None:
            found = self._used_before[key] = any(
                name.id == root.id
                and start_of(name) < event.end
                and _has_shape(name, shape, scope)
                and any(each.origin is mock.origin for each in self._mocks.at(name, scope))
                for name in scope.loads
            )
        return found

    # -- the functions of the file -----------------------------------------------------------------------------------

    def scopes_around(self, scope: Scope) -> list[Scope]:
        """The outermost function around a scope, and all that stands in it."""
        return self._scopes_by_root.get(self._root(scope), [scope])

    def _ledger(self, root: Scope) -> Ledger:
        """What configures mocks in a function and in those within it."""
        found = self._ledgers.get(root)
        if found is None:
            found = self._ledgers[root] = Ledger()
            found.fill(self._module, self._mocks, self.scopes_around(root))
        return found

    def _root(self, scope: Scope) -> Scope:
        found = self._roots.get(scope)
        if found is None:
            found = self._roots[scope] = outermost_of(scope)
        return found

    @lazy
    def _scopes_by_root(self) -> dict[Scope, list[Scope]]:
        found: dict[Scope, list[Scope]] = {}
        for scope in self._module.index.scopes:
            found.setdefault(self._root(scope), []).append(scope)
        return found


class _Elsewhere:
    """Which functions do something to which path of which mock."""

    def __init__(self) -> None:
        self._values: dict[tuple[Origin | None, Path], set[Scope]] = {}
        self._hands_on: dict[tuple[Origin | None, Path], set[Scope]] = {}

    def add(self, root: Scope, ledger: Ledger) -> None:
        for known, keys in ((self._values, ledger.given_paths()), (self._hands_on, ledger.handed_paths())):
            for key in keys:
                known.setdefault(key, set()).add(root)

    def gives(self, origin: Origin, path: Path, own: Scope) -> bool:
        """Whether a function other than this one may give a path a value."""
        return any(self._values.get(key, set()) - {own} for key in keys_of(origin, path))

    def hands_on(self, origin: Origin, path: Path, own: Scope) -> bool:
        """Whether one hands the mock, or a part of it on the way, to what may configure it."""
        return any(self._hands_on.get((origin, path[:length]), set()) - {own} for length in range(len(path)))


def _is_no_effect(given: Given) -> bool:
    """`side_effect=None`, which is what a mock has anyway."""
    return given.path[-1] == SIDE_EFFECT and isinstance(given.value, ast.Constant) and given.value.value is None


def _shape(node: ast.AST) -> tuple[list[str], ast.Name | None]:
    """The attributes and calls from a name up to an expression, and the name."""
    steps: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Call)):
        inner = node.value if isinstance(node, ast.Attribute) else node.func
        steps.append(_step(node, inner))
        node = inner
    return steps[::-1], node if isinstance(node, ast.Name) else None


def _has_shape(name: ast.Name, shape: list[str], scope: Scope) -> bool:
    """Whether these attributes and calls stand behind a name."""
    at: ast.AST = name
    for step in shape:
        parent = scope.parents[at]
        if _step(parent, at) != step:
            return False
        at = parent
    return True


def _step(node: ast.AST, inner: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return "()" if isinstance(node, ast.Call) and node.func is inner else ""
