"""Who runs an async test: the one answer to that question, for every rule."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.hooks import configuring_hook, has_hook, may_run, registers_unseen_plugin, running_hook
from flake8_async_tests.project.asyncio_mode import AsyncioMode, Mode
from flake8_async_tests.project.bases import plain_bases_elsewhere
from flake8_async_tests.project.project import plugin_names
from flake8_async_tests.record import record
from flake8_async_tests.scripts import is_for_something_else, is_run_by_its_script
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.marks import OTHER_RUNNING_MARKS, RUNNING_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.project.project import Project
    from flake8_async_tests.source.functions import Class
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test


class Runs(Enum):
    """What awaits an async test's coroutine."""

    ASYNCIO = "pytest-asyncio"
    ANYIO = "anyio"
    TRIO = "pytest-trio"
    UNITTEST = "unittest"
    OPTION = "a mark of the option async-tests-marks"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


@record
class Runner:
    """The answer, with its reason in words that fit into a message."""

    runs: Runs
    reason: str

    @property
    def is_unknown(self) -> bool:
        return self.runs is Runs.UNKNOWN


# Plugins that certainly run no async test which the marks and modes do not tell of.
_HARMLESS_PLUGINS = frozenset(
    {
        "_pytest",
        "anyio",
        "celery",
        "django",
        "hypothesis",
        "inline_snapshot",
        "pytest_asyncio",
        "pytest_benchmark",
        "pytest_cov",
        "pytest_django",
        "pytest_httpserver",
        "pytest_httpx",
        "pytest_mock",
        "pytest_postgresql",
        "pytest_timeout",
        "pytester",
        "respx",
        "syrupy",
        "xdist",
    }
)

# Fixtures of plugins that run async tests by themselves: pytest-trio, pytest-tornado and its kin, aiohttp.
_RUNNING_FIXTURES = frozenset(
    {
        "aiohttp_client",
        "aiohttp_raw_server",
        "aiohttp_server",
        "autojump_clock",
        "http_server_client",
        "io_loop",
        "loop",
        "mock_clock",
        "nursery",
        "test_client",
        "test_server",
    }
)


# With these, tests run elsewhere than under pytest, plain coroutine functions too: in a simulator of hardware, in a
# browser.
_OTHER_FRAMEWORKS = ("cocotb", "pyscript", "upytest")


def runner_of(test: Test) -> Runner:
    """Who runs a test; where several classes collect it, the first in sight that somebody or something unknown runs."""
    if test.runner is None:
        test.runner = _find_runner(test)
    return test.runner


def _find_runner(test: Test) -> Runner:
    found = [_runner_in(test, klass) for klass in (test.collectors or (None,))]
    own = test.function.klass
    if own is not None and own in test.collectors:
        return found[test.collectors.index(own)]
    for runner in found:
        if runner.is_unknown:
            return runner
    for runner in found:
        if runner.runs is not Runs.NOBODY:
            return runner
    return found[0]


def may_be_nobodys(module: Module) -> bool:
    """Whether nobody runs an async test of a file that no class, mark or fixture of its own gives a runner."""
    return _by_mode(module) is None and unknown_means(module) is None


def _runner_in(test: Test, klass: Class | None) -> Runner:
    module = test.module
    if klass is not None and klass.kind is ClassKind.UNKNOWN:
        return _runner_in_heir(test, klass)
    return (
        _by_class(klass)
        or _by_marks(test, klass)
        or _by_anyio_backend(test, klass)
        or _by_mode(module)
        or _by_unknown_fixtures(test, klass)
        or unknown_means(module)
        or _by_its_file(test)
        or Runner(Runs.NOBODY, nobody_because(module))
    )


def _by_class(klass: Class | None) -> Runner | None:
    if klass is None or klass.kind is ClassKind.PLAIN:
        return None
    if klass.kind is ClassKind.ISOLATED:
        return Runner(Runs.UNITTEST, f"{klass.name} is an IsolatedAsyncioTestCase")
    return Runner(Runs.NOBODY, f"{klass.name} is a plain TestCase")


def _runner_in_heir(test: Test, klass: Class) -> Runner:
    """The runner where a base stands in another module: known only if a mark or the mode names it.

    And only if that base can be read, and neither runs tests nor marks them.
    """
    runner = _by_marks(test, klass) or _by_anyio_backend(test, klass) or _by_mode(test.module)
    if runner is not None:
        bases = plain_bases_elsewhere(klass)
        if bases is not None and not any(may_run(test.module, base.own_marks) for base in bases):
            return runner
    return Runner(Runs.UNKNOWN, f"{klass.name} has a base of another module")


_BY_MARK = {"asyncio": Runs.ASYNCIO, "anyio": Runs.ANYIO, "trio": Runs.TRIO}


def _by_marks(test: Test, klass: Class | None) -> Runner | None:
    marks = test.marks_in(klass)
    # pytest-asyncio wins over anyio where both marks are there.
    for name, runs in _BY_MARK.items():
        if marks.has(name):
            return Runner(runs, f"it is marked {name}")
    for name in test.module.options.marks:
        if marks.has(name):
            return Runner(Runs.OPTION, f"it is marked {name}")
    for name in OTHER_RUNNING_MARKS:
        if marks.has(name):
            return Runner(Runs.UNKNOWN, f"it is marked {name}")
    if not marks.complete:
        return Runner(Runs.UNKNOWN, "it has marks that cannot be read")
    return None


def _by_anyio_backend(test: Test, klass: Class | None) -> Runner | None:
    closure = test.module.fixture_graph.closure(klass, test.requests, test.parametrized)
    if "anyio_backend" in closure.names or "anyio_backend" in test.parametrized:
        return Runner(Runs.ANYIO, "anyio_backend is among its fixtures")
    return None


def _by_unknown_fixtures(test: Test, klass: Class | None) -> Runner | None:
    """What its fixtures leave open. In auto mode it is pytest-asyncio that runs the test, whoever else would."""
    module = test.module
    graph = module.fixture_graph
    closure = graph.closure(klass, test.requests, test.parametrized)
    if not closure.complete or test.may_ask_for_more:
        return Runner(Runs.UNKNOWN, "some of its fixtures cannot be read")
    foreign = sorted(name for name in closure.names if graph.is_foreign(name, klass))
    if foreign:
        return Runner(Runs.UNKNOWN, f"what {foreign[0]} is imported from may run it")
    for fixture in closure.fixtures:
        if may_run(module, fixture.marks_it_gives):
            return Runner(Runs.UNKNOWN, f"the marks that {fixture.name} gives may run it")
    sign = _RUNNING_FIXTURES.intersection(closure.names)
    unseen = sorted(name for name in sign if not graph.is_in_sight(name, klass))
    if unseen:
        return Runner(Runs.UNKNOWN, f"a plugin that is not known here provides {unseen[0]}")
    return None


def _by_mode(module: Module) -> Runner | None:
    mode = asyncio_mode(module.project, module.directory)
    if mode.is_auto:
        return Runner(Runs.ASYNCIO, f"asyncio_mode is auto ({mode.decided_by})")
    if mode.mode is Mode.UNKNOWN:
        return Runner(Runs.UNKNOWN, mode.decided_by)
    config = module.project.config_for(module.directory)
    anyio = config.anyio_mode
    if anyio is not None and anyio.value == "auto":
        return Runner(Runs.ANYIO, "anyio_mode is auto")
    trio = config.trio_mode
    if trio is not None and trio.value.strip().lower() in ("1", "yes", "true", "on"):
        return Runner(Runs.TRIO, "trio_mode is on")
    return None


def _by_its_file(test: Test) -> Runner | None:
    if is_run_by_its_script(test.function):
        return Runner(Runs.UNKNOWN, "its file is a script that runs it")
    if is_for_something_else(test.module):
        return Runner(Runs.UNKNOWN, "its file lies beside the testpaths and may be no file of pytest's")
    return None


def unknown_means(module: Module) -> Runner | None:
    """Something that may run the tests of a file that no mark and no mode runs; None when there is no sign of it.

    A conftest that cannot be read is not among it: with that, the fixtures of the tests are unknown already.
    """
    for conftest in (module, *module.project.conftests(module.directory).modules, *_installed_plugins(module)):
        hook = running_hook(conftest)
        if hook:
            return Runner(Runs.UNKNOWN, f"{hook} in {conftest.name} may run it")
    reason = _unknown_plugin_or_mode(module)
    return Runner(Runs.UNKNOWN, reason) if reason else None


def doubt_about_fixtures(module: Module) -> str:
    """Why something unknown may await the async fixtures of a file, "" when certainly nothing unknown does."""
    chain = module.project.conftests(module.directory)
    if not chain.complete:
        return "a conftest.py cannot be read"
    for conftest in (module, *chain.modules):
        if not conftest.provided_fixtures.complete:
            return f"not all that {conftest.name} imports can be read"
        if has_hook(conftest, "pytest_fixture_setup"):
            return f"pytest_fixture_setup in {conftest.name} may await it"
        hook = configuring_hook(conftest)
        if hook:
            return f"{hook} in {conftest.name} may set the mode"
    return _unknown_plugin_or_mode(module)


def unknown_plugin(module: Module) -> str:
    """A plugin of the project, or a framework, that is not known here, in words; "" when there is no sign of one."""
    return _unknown_plugin(module, module.project.signs_for(module.directory).running_plugin)


def unknown_provider(module: Module) -> str:
    """The same, for one that may have a fixture `event_loop`."""
    return _unknown_plugin(module, module.project.signs_for(module.directory).providing_plugin)


def _unknown_plugin(module: Module, sign: str) -> str:
    project = module.project
    config = project.config_for(module.directory)
    chain = project.conftests(module.directory)
    for name in (*chain.foreign_plugins, *config.early_plugins, *_foreign_plugins(module)):
        if not is_harmless_plugin(name):
            return f"the plugin {name} may run it"
    for conftest in chain.modules:
        if registers_unseen_plugin(conftest):
            return f"a plugin that {conftest.name} registers may run it"
    framework = next(filter(module.imports, _OTHER_FRAMEWORKS), "")
    return sign or (f"{framework} may run it" if framework else "")


def _installed_plugins(module: Module) -> Iterator[Module]:
    """The project's own modules that pytest loads wherever the project is installed."""
    for name in module.project.signs_for(module.directory).entry_points:
        path = module.project.find_import(name, module)
        plugin = module.project.module_at(path) if path is not None else None
        if plugin is not None:
            yield plugin


def _unknown_plugin_or_mode(module: Module) -> str:
    mode = module.project.signs_for(module.directory).mode_on_command_line
    return unknown_plugin(module) or (f"{mode} gives a mode" if mode else "")


def is_harmless_plugin(name: str) -> bool:
    """Whether a plugin is known to have nothing to do with how async tests run."""
    return name.partition(".")[0] in _HARMLESS_PLUGINS


def _foreign_plugins(module: Module) -> list[str]:
    return [name for name in plugin_names(module) or () if module.project.find_import(name, module) is None]


def asyncio_mode(project: Project, directory: str) -> AsyncioMode:
    """pytest-asyncio's mode for the files of a folder, and what decided it."""
    return project.asyncio_mode(directory)


def shown(project: Project, directory: str, path: str) -> str:
    """A path as a message shows it."""
    return project.shown(directory, path)


def nobody_because(module: Module) -> str:
    project, directory = module.project, module.directory
    config = project.config_for(directory)
    addopts = config.get("addopts")
    if addopts is not None and "asyncio" in config.disabled_plugins:
        return f"pytest-asyncio is switched off ({shown(project, directory, addopts.path)}:{addopts.line})"
    return f"asyncio_mode is strict ({asyncio_mode(project, directory).decided_by})"


def mark_for(module: Module) -> str:
    """The mark that makes something run the async tests of a file, as far as can be told: "" when it cannot."""
    return module.fact(_find_mark)


def _find_mark(module: Module) -> str:
    """The one that all its marked tests have, else pytest-asyncio's."""
    disabled = module.project.config_for(module.directory).disabled_plugins
    used = {name for test in module.async_tests for name in RUNNING_MARKS if test.marks.has(name)} or {"asyncio"}
    mark = used.pop() if len(used) == 1 else "asyncio"
    return "" if mark in disabled else mark
