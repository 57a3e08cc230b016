"""AT806: pytest-asyncio and anyio that both want every async test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import about, configuration_of, is_loaded, told_here
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.config import PytestConfig
    from flake8_async_tests.project.problems import Problem
    from flake8_async_tests.source.module import Module


@rule("AT806", "two-auto-modes", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    config = configuration_of(module)
    if config is not None:
        yield from told_here(module, _problems(module, config))


def _problems(module: Module, config: PytestConfig) -> Iterator[Problem]:
    asyncio, anyio = config.asyncio_mode, config.anyio_mode
    if asyncio is None or anyio is None or not is_loaded("anyio", module, config):
        return
    if asyncio.value == anyio.value == "auto":
        yield about(
            anyio,
            f"is auto and so is asyncio_mode (line {asyncio.line}): pytest-asyncio runs every test, on asyncio alone"
            " (set one of them to strict)",
        )
