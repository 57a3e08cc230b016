"""AT802: an option that pytest-asyncio does not have."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import OPTIONS, Problem, about, is_place_for, told_here
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.runner import is_harmless_plugin
from flake8_async_tests.source.plugin_options import may_register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.project import ConftestChain
    from flake8_async_tests.source.module import Module


@rule("AT802", "unknown-asyncio-option", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    yield from told_here(module, _problems(module))


def _problems(module: Module) -> Iterator[Problem]:
    config = module.project.config_for(module.directory)
    if not config.known:
        return
    for name, setting in config.settings.items():
        if not name.startswith("asyncio_") or name in OPTIONS:
            continue
        if is_place_for(setting.path, module) and not _may_be_registered(module, name):
            nearest = get_close_matches(name, OPTIONS, n=1, cutoff=0.0)[0]
            yield about(setting, f"is no option of pytest-asyncio and has no effect (did you mean {nearest}?)")


def _may_be_registered(module: Module, option: str) -> bool:
    """Whether a plugin of the project adds the option, or one that cannot be read might."""
    project = module.project
    chains = [
        project.conftests(folder) for folder in (module.directory, *project.folders_loaded_early(module.directory))
    ]
    early = [name for name in project.config_for(module.directory).early_plugins if name != "asyncio"]
    local = [path for name in early if (path := project.find_import(name, module)) is not None]
    foreign = [name for name in early if project.find_import(name, module) is None]
    return (
        bool(project.signs_for(module.directory).providing_plugin)
        or not all(map(is_harmless_plugin, foreign))
        or any(plugin is None or may_register(plugin, option) for plugin in map(project.module_at, local))
        or any(_may_register(chain, option) for chain in chains)
    )


def _may_register(chain: ConftestChain, option: str) -> bool:
    return (
        not chain.complete
        or not all(map(is_harmless_plugin, chain.foreign_plugins))
        or any(may_register(conftest, option) for conftest in chain.modules)
    )
