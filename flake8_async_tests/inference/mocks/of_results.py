"""The mocks that stand for what a session's `execute` gives, or its `stream`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT, Mock

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module

_EXECUTE = "execute"
_STREAMS = frozenset({"stream", "stream_scalars"})


class ResultMocks:
    """Knows the results among the mocks of a file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._handed = self._given_by(frozenset({_EXECUTE}))
        self._streamed = self._given_by(_STREAMS)

    def _given_by(self, methods: frozenset[str]) -> set[Mock]:
        """The mocks that are what one of these methods of a session is told to give."""
        mocks, settings = mocks_of(self._module), self._module.fact(MockSettings)
        given: set[Mock] = set()
        for setting in settings.naming(*methods):
            if setting.name in methods:
                given.update(mocks.at(setting.value, setting.scope))
        # What a mock that was given as the method is not told to give.
        found = {Mock(mock.origin, (*mock.path, RETURN_VALUE)) for mock in given}
        for setting in settings.naming(RETURN_VALUE, SIDE_EFFECT):
            owner, results = setting.path[:-1], setting.results
            if results and (
                not methods.isdisjoint(owner[-1:]) or not given.isdisjoint(settings.mocks(setting, len(owner)))
            ):
                found.update(mock for each in results for mock in mocks.at(each, setting.scope))
        return found

    def includes(self, mock: Mock) -> bool:
        """Whether a mock stands for a result."""
        return mock.path[-2:] == (_EXECUTE, RETURN_VALUE) or mock in self._handed

    def is_streamed(self, mock: Mock) -> bool:
        """Whether a mock stands for a result that is streamed, or for a part of one: most of its methods are async."""
        path = mock.path
        return any(
            (name in _STREAMS and path[position : position + 1] == (RETURN_VALUE,))
            or Mock(mock.origin, path[: position - 1]) in self._streamed
            for position, name in enumerate((*path, ""), start=1)
        )
