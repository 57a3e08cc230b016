"""The mocks that stand for responses of httpx: what a patched function or client of httpx gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.known import HTTP_METHODS
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.settings import MockSettings
from flake8_async_tests.inference.mocks.targets import is_client_of_httpx, makes_requests_of_httpx
from flake8_async_tests.inference.replacing.mock_values import RETURN_VALUE, SIDE_EFFECT, Mock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Origin
    from flake8_async_tests.source.module import Module

_REQUESTS = HTTP_METHODS | {"send"}


class HttpxResponses:
    """Knows the responses among the mocks of a file."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._mocks = mocks_of(module)
        self._settings = module.fact(MockSettings)
        self._requests: set[Origin] = set()
        self._clients: set[Origin] = set()
        for patch in self._mocks.patches:
            for mock in self._mocks.put_there_by(patch):
                if makes_requests_of_httpx(module, patch):
                    self._requests.add(mock.origin)
                elif is_client_of_httpx(module, patch):
                    self._clients.add(mock.origin)
        if self._clients:
            self._clients.update(mock.origin for owner, mock in self._returned() if owner.origin in self._clients)
        are_there = self._requests or self._clients
        self._handed = (
            {mock for owner, mock in self._returned() if self._gives_responses(owner)} if are_there else set()
        )

    def includes(self, mock: Mock) -> bool:
        """Whether a mock stands for a response."""
        if mock in self._handed:
            return True
        if mock.path[-1:] != (RETURN_VALUE,):
            return False
        return self._gives_responses(Mock(mock.origin, mock.path[:-1]))

    def _gives_responses(self, mock: Mock) -> bool:
        if mock.origin in self._requests:
            return not mock.path
        return mock.origin in self._clients and mock.path[-1:] != () and mock.path[-1] in _REQUESTS

    def _returned(self) -> Iterator[tuple[Mock, Mock]]:
        """Each mock with one that it was told to return."""
        for setting in self._settings.naming(RETURN_VALUE, SIDE_EFFECT):
            results = setting.results
            for owner in self._settings.mocks(setting, len(setting.path) - 1) if results else ():
                yield from ((owner, mock) for each in results for mock in self._mocks.at(each, setting.scope))
