"""What names and paths hold at one point of a flow, with a way back to an earlier point.

A branch is gone through on the one state there is, its changes noted and taken back, and only what the
branches changed is joined: a function costs its length, however many names it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flake8_async_tests.inference.values.bindings import Binding

    Held = tuple[Binding, ...] | None
    """None: not bound here. The empty tuple: bound to something that is not known."""

# More bindings than these at one place are as good as none.
_MANY = 32


class State:
    """The bindings of each path; a path's own bindings end what is known of longer ones."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[Binding, ...]] = {}
        self._below: dict[str, dict[str, None]] = {}
        self._log: list[tuple[str, Held]] = []

    def get(self, path: str) -> Held:
        return self.held.get(path)

    def has_below(self, path: str) -> bool:
        """Whether a longer path is bound."""
        return bool(self._below.get(path))

    def set(self, path: str, held: Held) -> None:
        for longer in list(self._below.get(path, ())):
            self._put(longer, None)
        self._put(path, held)

    def add(self, path: str, binding: Binding | None) -> None:
        """A path may have been bound, or not: either may hold, for longer ones neither is known."""
        for longer in list(self._below.get(path, ())):
            self._put(longer, ())
        self._put(path, _merged(path, self.get(path), () if binding is None else (binding,)))

    def mark(self) -> int:
        return len(self._log)

    def changes_since(self, mark: int) -> dict[str, Held]:
        return {path: self.get(path) for path, _ in self._log[mark:]}

    def undo(self, mark: int) -> None:
        while len(self._log) > mark:
            path, held = self._log.pop()
            self._store(path, held)

    def join(self, ends: Sequence[dict[str, Held]]) -> None:
        """Go on with what any of the branches left behind."""
        joined: dict[str, Held] = {}
        counts: dict[str, int] = {}
        for end in ends:
            for path, held in end.items():
                joined[path] = _merged(path, joined[path], held) if path in joined else held
                counts[path] = counts.get(path, 0) + 1
        for path, held in joined.items():
            self._put(path, held if counts[path] == len(ends) else _merged(path, self.get(path), held))

    def _put(self, path: str, held: Held) -> None:
        self._log.append((path, self.get(path)))
        self._store(path, held)

    def _store(self, path: str, held: Held) -> None:
        was_there = path in self.held
        if held is None:
            self.held.pop(path, None)
        else:
            self.held[path] = held
        if was_there == (held is not None):
            return
        prefix = path.rpartition(".")[0]
        while prefix:
            below = self._below.setdefault(prefix, {})
            if held is None:
                below.pop(path, None)
            else:
                below[path] = None
            prefix = prefix.rpartition(".")[0]


def _merged(path: str, one: Held, other: Held) -> Held:
    if one is None or other is None:
        # A name that one branch does not bind is an error there. An attribute is whatever it was before.
        only = other if one is None else one
        return only if only is None or "." not in path else ()
    if not one or not other:
        return ()
    found = one + tuple(binding for binding in other if binding not in one)
    return found if len(found) <= _MANY else ()
