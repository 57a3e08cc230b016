"""AT8: pytest's configuration. The mutant is a file as it was, with another configuration around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.registry import mutator
from tests.mutation.suite import CONFIGURATION_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Reading


def _places(reading: Reading) -> Iterator[Path]:
    """The configuration file, asked for in the one file in which findings about it are told."""
    configuration = reading.configuration
    if (
        configuration.path is not None
        and configuration.known
        and reading.suite.place_of(configuration) == reading.path
        and "asyncio" in configuration.path.read_text(encoding="utf-8")
    ):
        yield configuration.path


def _configure(draft: Draft, path: Path, text: str) -> None:
    """Change the configuration around the file, which stays as it is but for a comment's worth of nothing."""
    draft.insert(0, HERE)
    draft.around[path] = text
    if "pytest_plugins" in draft.source.text or "addini" in draft.source.text:
        draft.doubt_because("a plugin may register options")
    if "-p" in draft.reading.configuration.options.get("addopts", ""):
        draft.doubt_because("pytest-asyncio may not be there")


def _sections(path: Path) -> tuple[str, str]:
    """The line that opens pytest's section, and the form of an option."""
    if path.suffix == ".toml":
        text = path.read_text(encoding="utf-8")
        table = "tool.pytest.ini_options" if "[tool.pytest.ini_options]" in text else "tool.pytest"
        return f"[{table}]", '{} = "{}"'
    return ("[tool:pytest]" if path.name == "setup.cfg" else "[pytest]"), "{} = {}"


def _with_option(path: Path, option: str, value: str) -> str:
    """The text of a configuration file with an option set, whatever it said of it before."""
    text = path.read_text(encoding="utf-8")
    section, form = _sections(path)
    text = re.sub(rf"(?m)^{option}\s*=.*\n", "", text)
    if f"{section}\n" not in text:
        raise ImpossibleError
    return text.replace(f"{section}\n", f"{section}\n{form.format(option, value)}\n", 1)


# -- AT801, AT805 ------------------------------------------------------------------------------------------------------


@mutator("AT801", _places)
def misname_the_section(draft: Draft, path: Path) -> None:
    """Name pytest's section as another kind of file has it."""
    text = path.read_text(encoding="utf-8")
    section, _ = _sections(path)
    wrong = {"[tool.pytest.ini_options]": "[pytest]", "[pytest]": "[tool:pytest]", "[tool:pytest]": "[pytest]"}
    if section not in wrong or f"{section}\n" not in text:
        raise ImpossibleError
    _configure(draft, path, text.replace(f"{section}\n", f"{wrong[section]}\n", 1))
    if any((path.parent / name).is_file() and name != path.name for name in CONFIGURATION_FILES):
        draft.doubt_because("another file configures pytest then")
    if len(draft.reading.suite.conftests(draft.reading.folder)) > 1:
        draft.doubt_because("another conftest.py is nearer to the root")


@mutator("AT801", _places)
def add_a_section_for_pytest_asyncio(draft: Draft, path: Path) -> None:
    """Put `[tool.pytest-asyncio]` into pyproject.toml."""
    if path.name != "pyproject.toml":
        raise ImpossibleError
    text = path.read_text(encoding="utf-8").rstrip("\n")
    _configure(draft, path, f'{text}\n\n[tool.pytest-asyncio]\nasyncio_mode = "auto"\n')


@mutator("AT805", _places)
def shadow_the_configuration(draft: Draft, path: Path) -> None:
    """Put an empty pytest.ini beside the file that configures pytest."""
    shadowed = [option for option in draft.reading.configuration.options if option.startswith("asyncio_")]
    if path.name in ("pytest.ini", "pytest.toml", ".pytest.toml") or not shadowed:
        raise ImpossibleError
    _configure(draft, path.with_name("pytest.ini"), "")
    options = draft.reading.configuration.options
    if {option: options[option] for option in shadowed} == {"asyncio_mode": "strict"}:
        draft.doubt_because("it says what is the default")


# -- AT802, AT803, AT806, AT807 ----------------------------------------------------------------------------------------


@mutator("AT802", _places)
def set_an_option_that_does_not_exist(draft: Draft, path: Path) -> None:
    """Set `asyncio_fixture_timeout`."""
    _configure(draft, path, _with_option(path, "asyncio_fixture_timeout", "5"))


@mutator("AT802", _places)
def misspell_the_mode(draft: Draft, path: Path) -> None:
    """Write `asyncio_modes` for `asyncio_mode`."""
    _configure(draft, path, _with_option(path, "asyncio_modes", "auto"))


@mutator("AT803", _places)
def set_a_mode_that_is_none(draft: Draft, path: Path) -> None:
    """Set `asyncio_mode` to `legacy`."""
    _configure(draft, path, _with_option(path, "asyncio_mode", "legacy"))


@mutator("AT803", _places)
def set_a_scope_that_is_none(draft: Draft, path: Path) -> None:
    """Set `asyncio_default_fixture_loop_scope` to `modul`."""
    _configure(draft, path, _with_option(path, "asyncio_default_fixture_loop_scope", "modul"))


@mutator("AT804", sites.conftest)
def list_pytest_asyncio_as_a_plugin(draft: Draft, _: Reading) -> None:
    """Put `pytest_plugins = ["pytest_asyncio"]` into a conftest.py."""
    draft.new_name("pytest_plugins")
    draft.at_the_end(f'{HERE}pytest_plugins = ["pytest_asyncio"]')


@mutator("AT804", sites.conftest)
def set_the_mode_in_a_conftest(draft: Draft, _: Reading) -> None:
    """Put `asyncio_mode = "auto"` into a conftest.py."""
    draft.new_name("asyncio_mode")
    draft.at_the_end(f'{HERE}asyncio_mode = "auto"')


@mutator("AT806", _places)
def run_everything_twice(draft: Draft, path: Path) -> None:
    """Set both `asyncio_mode` and `anyio_mode` to auto."""
    text = _with_option(path, "asyncio_mode", "auto")
    section, form = _sections(path)
    _configure(draft, path, text.replace(f"{section}\n", f"{section}\n{form.format('anyio_mode', 'auto')}\n", 1))
    if "mode" in draft.reading.configuration.options.get("addopts", ""):
        draft.doubt_because("the command line has the last word")


@mutator("AT807", _places)
def widen_the_loops_of_fixtures_alone(draft: Draft, path: Path) -> None:
    """Set `asyncio_default_fixture_loop_scope` to session, and nothing for tests."""
    if "asyncio_default_test_loop_scope" in draft.reading.configuration.options:
        raise ImpossibleError
    _configure(draft, path, _with_option(path, "asyncio_default_fixture_loop_scope", "session"))
    texts = [draft.reading.suite.text(each) or "" for each in draft.reading.suite.test_files]
    if any("loop_scope" in text for text in texts):
        draft.doubt_because("tests set their own loop scope")
    if draft.reading.configuration.asyncio_mode != "auto" and not any("mark.asyncio" in text for text in texts):
        draft.doubt_because("pytest-asyncio may run nothing there")
