"""AT805: options for pytest-asyncio in a file that pytest does not read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import (
    DEBUG,
    FIXTURE_LOOP_SCOPE,
    FIXTURES_OWN_SCOPE,
    MODE,
    TEST_LOOP_SCOPE,
    Problem,
    configuration_of,
    is_accepted,
    told_here,
)
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flake8_async_tests.project.config import PytestConfig, Setting
    from flake8_async_tests.source.module import Module

_DEFAULTS = {
    MODE: "strict",
    DEBUG: "false",
    FIXTURE_LOOP_SCOPE: FIXTURES_OWN_SCOPE,
    TEST_LOOP_SCOPE: "function",
}


@rule("AT805", "shadowed-config", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    config = configuration_of(module)
    if config is not None:
        yield from told_here(module, _problems(module, config))


def _problems(module: Module, config: PytestConfig) -> Iterator[Problem]:
    assert config.path is not None
    winner = os.path.basename(config.path)
    for raw in module.project.configs.candidates(config.rootdir):
        shadowed = module.project.configs.if_it_counted(raw) if raw.path != config.path else None
        if shadowed is None or not shadowed.known:
            continue
        lost = _lost(shadowed, config, module.options.pytest_asyncio)
        if lost:
            line = min(setting.line for setting in lost.values())
            names = ", ".join(f"{name} = {setting.value}" for name, setting in lost.items())
            has, it = ("has", "it") if len(lost) == 1 else ("have", "them")
            yield Problem(
                raw.path,
                line,
                f"{names} {has} no effect: pytest reads {winner} beside it and nothing else (move {it} there)",
            )


def _lost(shadowed: PytestConfig, config: PytestConfig, version: tuple[int, ...]) -> Mapping[str, Setting]:
    """The options of a file that would change something if pytest read them, and not stop it."""
    found = {}
    for name, default in _DEFAULTS.items():
        setting = _setting(shadowed, name)
        if setting is None or not is_accepted(setting, name, version):
            continue
        if _meaning(setting) not in (default, _meaning(_setting(config, name))):
            found[name] = setting
    return found


def _setting(config: PytestConfig, name: str) -> Setting | None:
    return config.asyncio_mode if name == MODE else config.get(name)


def _meaning(setting: Setting | None) -> str | None:
    if setting is None:
        return None
    if setting.name == DEBUG and setting.truth is not None:
        return str(setting.truth).lower()
    return setting.value
