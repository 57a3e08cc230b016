"""`config`: what the plugin found out about a path, and which file and line decided it."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from flake8.exceptions import ExecutionError

from flake8_async_tests.checker import Checker
from flake8_async_tests.command.usage import UsageError
from flake8_async_tests.command.users_flake8 import UsersFlake8
from flake8_async_tests.loops import default_loop_of_tests, is_run_by_asyncio, loop_of_fixture
from flake8_async_tests.project.problems import FIXTURE_LOOP_SCOPE, TEST_LOOP_SCOPE
from flake8_async_tests.rules import all_rules

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from flake8_async_tests.project.config import PytestConfig, RawConfig
    from flake8_async_tests.project.settings import Setting
    from flake8_async_tests.rule import Finding, Rule
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module

_PATTERNS = ("python_files", "python_classes", "python_functions")


HELP = "show what was found out about a path, and which file and line decided it"
STATUS = "0, 1 when the configuration has problems (AT8), or 2 for usage."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="a file or folder (default: .)")


def run(arguments: argparse.Namespace) -> int:
    try:
        UsersFlake8([])
    except ExecutionError as error:
        raise UsageError(str(error)) from error
    module = _module_at(arguments.path)
    problems = list(_problems(module))
    for title, lines in (
        ("configuration", _configuration(module)),
        ("settings", _settings(module)),
        ("passed over", _passed_over(module)),
        ("conftest chain", _conftests(module)),
        ("fixtures in sight", _fixtures(module)),
        ("problems", problems),
    ):
        print(f"{title}:")
        print("\n".join(f"  {line}" for line in lines) or "  none")
    return int(bool(problems))


def _module_at(path: str) -> Module:
    """The file of that path; for a folder, an empty test file in it."""
    if os.path.isdir(path):
        return Checker.project.module_for(os.path.join(path, "test_.py"), ast.parse(""), "")
    absolute = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    text = Checker.project.files.text(absolute)
    if text is None:
        raise UsageError(f"{path} cannot be read")
    try:
        return Checker.project.module_for(absolute, ast.parse(text), text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{path} is no Python: {error}") from error


# -- what pytest takes ----------------------------------------------------------------------------------------------


def _configuration(module: Module) -> Iterator[str]:
    config = module.project.config_for(module.directory)
    yield f"rootdir: {config.rootdir}"
    if config.path is None:
        yield "file: none was found"
    else:
        yield f"file: {_shown(module, config.path)}{_section(module, config)}"
    if config.fault:
        yield f"pytest stops with an error: {config.fault}"


def _section(module: Module, config: PytestConfig) -> str:
    raw = module.project.configs.raw(config.path) if config.path is not None else None
    if raw is None or raw.configuration is None:
        return ", which says nothing for pytest"
    if raw.kind == "ini" and raw.configuration.name not in raw.sections:
        return ", which counts although it has no [pytest]"
    return f", [{raw.configuration.name}] on line {raw.configuration.line}"


def _settings(module: Module) -> Iterator[str]:
    config = module.project.config_for(module.directory)
    mode = module.project.asyncio_mode(module.directory)
    yield f"asyncio_mode: {mode.mode.value} ({mode.decided_by}{_via_of_mode(module, config)})"
    yield _setting(module, FIXTURE_LOOP_SCOPE, config.get(FIXTURE_LOOP_SCOPE), "each fixture's own scope")
    tests = default_loop_of_tests(module)
    yield _setting(module, TEST_LOOP_SCOPE, config.get(TEST_LOOP_SCOPE), tests.scope or "unknown")
    if config.anyio_mode is not None:
        yield _setting(module, "anyio_mode", config.anyio_mode, "")
    if config.trio_mode is not None:
        yield _setting(module, "trio_mode", config.trio_mode, "")
    defaults = (config.python_files, config.python_classes, config.python_functions)
    for name, default in zip(_PATTERNS, defaults, strict=True):
        yield _setting(module, name, config.get(name), " ".join(default))
    for name in sorted(config.disabled_plugins):
        yield f"plugin disabled: {name}"


def _via_of_mode(module: Module, config: PytestConfig) -> str:
    is_overridden = module.project.options.asyncio_mode is not None
    return "" if is_overridden or config.asyncio_mode is None else _via(config.asyncio_mode)


def _via(setting: Setting) -> str:
    return f", {setting.via}" if setting.via else ""


def _setting(module: Module, name: str, setting: Setting | None, default: str) -> str:
    if setting is None:
        return f"{name}: {default} (the default)"
    value = " ".join(setting.values) or setting.value
    return f"{name}: {value} ({_shown(module, setting.path)}:{setting.line}{_via(setting)})"


def _passed_over(module: Module) -> Iterator[str]:
    """The files that could configure pytest, and do not."""
    project = module.project
    config = project.config_for(module.directory)
    ground = project.places.ground(module.directory)
    for folder in _upwards(module.directory, project.configs.repository_root(module.directory) or ground):
        is_above = len(folder) < len(ground)
        for raw in project.configs.candidates(folder):
            # Above the rootdir pytest looks at nothing, and a file without a word for it surprises nobody.
            if raw.path != config.path and not (is_above and raw.configuration is None):
                yield f"{_shown(module, raw.path)}: {_why_not(module, config, raw, is_above=is_above)}"


def _why_not(module: Module, config: PytestConfig, raw: RawConfig, *, is_above: bool) -> str:
    if raw.error and not is_above:
        return raw.error
    if raw.configuration is None or config.path is None:
        return "nothing in it is for pytest"
    return f"{_shown(module, config.path)} {'is nearer' if is_above else 'wins'}"


def _upwards(folder: str, top: str) -> Iterator[str]:
    yield folder
    while folder != top and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        yield folder


# -- the project's own files ------------------------------------------------------------------------------------------


def _conftests(module: Module) -> Iterator[str]:
    chain = module.project.conftests(module.directory)
    for conftest in chain.modules:
        yield _shown(module, conftest.path)
    for name in chain.foreign_plugins:
        yield f"{name}, a plugin from outside"
    if not chain.complete:
        yield "some of it cannot be read, so whatever it says is unknown"


def _fixtures(module: Module) -> Iterator[str]:
    for entry in module.fixture_graph.all_in_sight():
        yield f"{entry.name}: {_described(module, entry.fixture) if entry.fixture is not None else 'cannot be read'}"
    for klass in module.classes:
        for entry in module.fixture_graph.all_in_sight(klass):
            if entry.fixture is not None and entry.fixture.klass is not None:
                yield f"{entry.name}, in {klass.name}: {_described(module, entry.fixture)}"


def _described(module: Module, fixture: Fixture) -> str:
    nature = "async" if fixture.is_async else "sync"
    place = f"{_shown(module, fixture.module.path)}:{fixture.function.node.lineno}"
    parts = [nature, f"scope {fixture.scope or 'unknown'}"]
    if is_run_by_asyncio(fixture, module):
        parts.append(f"loop scope {loop_of_fixture(fixture, module).scope or 'unknown'}")
    elif fixture.is_async and module.project.asyncio_mode(module.directory).is_strict:
        parts.append("not run by pytest-asyncio")
    if fixture.is_autouse:
        parts.append("autouse")
    return f"{', '.join(parts)} ({place})"


# -- problems ---------------------------------------------------------------------------------------------------------


def _problems(module: Module) -> Iterator[str]:
    """What the rules about configuration say wherever they would say it for this path."""
    told = {
        f"{_shown(module, place.path)}:{finding.node.lineno}: {rule.code} {finding.printable}"
        for place in _places_of_problems(module)
        for rule, finding in _findings(place)
    }
    yield from sorted(told)


def _places_of_problems(module: Module) -> Iterator[Module]:
    project = module.project
    yield module
    yield from project.conftests(module.directory).modules
    for folder in project.places.folders_up(module.directory):
        for raw in project.configs.candidates(folder):
            path = project.places.of(raw.path)
            place = project.read_module(path) if path is not None else None
            if place is not None:
                yield place


def _findings(module: Module) -> Iterator[tuple[Rule, Finding]]:
    for rule in all_rules():
        if rule.speaks_of_configuration:
            for finding in rule.check(module):
                yield rule, finding


def _shown(module: Module, path: str) -> str:
    return module.project.shown(module.directory, path)
