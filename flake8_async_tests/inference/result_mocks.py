"""The mocks that stand for what a session's `execute` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.mock_settings import MockSettings
from flake8_async_tests.inference.mock_values import RETURN_VALUE
from flake8_async_tests.inference.mocks import mocks_of

if TYPE_CHECKING:
    from flake8_async_tests.inference.mock_values import Mock
    from flake8_async_tests.source.module import Module

_EXECUTE = "execute"


class ResultMocks:
    """Knows the results among the mocks of a file."""

    def __init__(self, module: Module) -> None:
        mocks, settings = mocks_of(module), module.fact(MockSettings)
        executes: set[Mock] = set()
        for setting in settings.naming(_EXECUTE):
            if setting.name == _EXECUTE:
                executes.update(mocks.at(setting.value, setting.scope))
        self._handed: set[Mock] = set()
        for setting in settings.naming(RETURN_VALUE):
            owner = setting.path[:-1]
            if setting.name == RETURN_VALUE and (
                owner[-1:] == (_EXECUTE,) or not executes.isdisjoint(settings.mocks(setting, len(owner)))
            ):
                self._handed.update(mocks.at(setting.value, setting.scope))

    def includes(self, mock: Mock) -> bool:
        """Whether a mock stands for a result."""
        return mock.path[-2:] == (_EXECUTE, RETURN_VALUE) or mock in self._handed
