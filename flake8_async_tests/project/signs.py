"""Signs, outside pytest's configuration, of what decides how async tests run and is no part of the tests themselves."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from flake8_async_tests.record import record

if TYPE_CHECKING:
    from flake8_async_tests.project.files import Files

# From 1.0 on pytest-aiohttp leaves the tests to pytest-asyncio: `pytest-aiohttp>=1.0.5`, `pytest-aiohttp = "^1.1"`.
_SINCE_1 = r"(?!(?: *=)?[ \"'(]*(?:[>=~]=|[\^~])? *[1-9])"
# Plugins that run async tests, or ran them in some version, without a mark that tells.
_RUNNING_PLUGINS = re.compile(
    r"\b(aiomisc(?:[-_]pytest)?|alt[-_]pytest[-_]asyncio|nonebug|pytest[-_](?:aio|aiohttp"
    + _SINCE_1
    + r"|asyncio[-_]cooperative|async|curio|embedded|sanic"
    r"|homeassistant[-_]custom[-_]component|tornado5?|tornasync|twisted|uvloop))\b(?![-_.])",
    re.IGNORECASE,
)
# Those that have neither of that: their loops have other names, `loop` and `io_loop`, or none.
_WITHOUT_EITHER = re.compile(r"pytest[-_](?:aiohttp|curio|embedded|sanic|tornado5?|tornasync|twisted)\b", re.IGNORECASE)
# A plugin, and libraries of event loops, with which sleeping takes no time.
_VIRTUAL_CLOCKS = re.compile(r"\b(?:aiofastforward|async[-_]solipsism|looptime)\b")
# A mode that is given where pytest is started, not where it is configured.
_MODE_ON_COMMAND_LINE = re.compile(r"--(?:asyncio-mode|anyio-mode)[ =\"',]+auto|-o *asyncio_mode=auto\b")
# So may a configuration that stands somewhere else.
_CONFIG_ON_COMMAND_LINE = re.compile(
    r"\bpytest\b[^\n;&|]*?[\s\"'](?:-c|--config-file)[ =\"',]+([^\s\"',]+\.(?:cfg|ini|toml))\b"
)
# Where a package tells pytest of plugins of its own, in whatever build file: from there to the next bracket.
_ENTRY_POINTS = re.compile(r"\bpytest11\b[\"'\]\s:={\[(]*([^\[\]{}()]*)")
_ENTRY_POINT = re.compile(r"=[ \t]*[\"']?([A-Za-z_][\w.]*)")

_REQUIREMENTS = re.compile(r"(?:require|dev|test|constraints).*\.(?:txt|in)$", re.IGNORECASE)
_BUILD_FILES = (
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    "tox.toml",
    "hatch.toml",
    "noxfile.py",
    "tasks.py",
    "Makefile",
    "justfile",
    "Justfile",
    "Taskfile.yml",
    "Pipfile",
    "environment.yml",
    "Dockerfile",
    ".gitlab-ci.yml",
    ".travis.yml",
    "azure-pipelines.yml",
)
# Where else tests are started from: scripts, and what tells a server how to test.
_SCRIPTS = re.compile(r"\.(?:sh|ya?ml)$")
_FOLDERS_OF_SCRIPTS = (".circleci", ".github/workflows", "ci", "scripts")


@record
class Signs:
    """What was found, in words for a reader; empty when nothing was."""

    running_plugin: str = ""
    providing_plugin: str = ""
    """One of these that may have a fixture `event_loop`, or options like those of pytest-asyncio."""
    mode_on_command_line: str = ""
    virtual_clock: bool = False
    """Whether sleeping may take no time."""
    entry_points: tuple[str, ...] = ()
    """The modules that the project may make plugins of pytest once it is installed: some may be none."""


def signs_of(files: Files, *roots: str) -> Signs:
    """Look through the build, requirements and script files of a project's root folder, and of its repository's."""
    plugin = providing = mode = ""
    virtual_clock = False
    entry_points: dict[str, None] = {}
    for root in roots:
        for path in _paths(files, root):
            content = files.read(path)
            if content is None:
                continue
            text = content.decode("utf-8", "replace")
            name = os.path.relpath(path, root)
            for found in _RUNNING_PLUGINS.finditer(text):
                told = f"{found.group(1)} in {name}"
                plugin = plugin or told
                if not _WITHOUT_EITHER.match(told):
                    providing = providing or told
            if not mode and (_MODE_ON_COMMAND_LINE.search(text) or _names_other_config(files, root, text)):
                mode = name
            virtual_clock = virtual_clock or _VIRTUAL_CLOCKS.search(text) is not None
            for group in _ENTRY_POINTS.findall(text) if "pytest11" in text else ():
                entry_points |= dict.fromkeys(_ENTRY_POINT.findall(group))
    return Signs(plugin, providing, mode, virtual_clock, tuple(entry_points))


def _names_other_config(files: Files, root: str, text: str) -> bool:
    """Whether pytest is started with a configuration file that does not stand in the root folder."""
    given = _CONFIG_ON_COMMAND_LINE.findall(text) if "-c" in text else []
    return any(os.path.basename(path) not in files.names_in(root) for path in given)


def _paths(files: Files, root: str) -> list[str]:
    names = files.names_in(root)
    found = [os.path.join(root, name) for name in _BUILD_FILES if name in names]
    found += [os.path.join(root, name) for name in sorted(names) if _REQUIREMENTS.search(name)]
    if "requirements" in names:
        folder = os.path.join(root, "requirements")
        found += [
            os.path.join(folder, name) for name in sorted(files.names_in(folder)) if name.endswith((".txt", ".in"))
        ]
    for script_folder in _FOLDERS_OF_SCRIPTS:
        folder = os.path.join(root, *script_folder.split("/"))
        if script_folder.partition("/")[0] in names:
            found += [os.path.join(folder, name) for name in sorted(files.names_in(folder)) if _SCRIPTS.search(name)]
    return found
