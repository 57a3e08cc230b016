"""Which configuration pytest takes, with what values, on which lines: by hand, and compared with real pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flake8_async_tests.project import candidates, config, files, toml_lines
from flake8_async_tests.project.addopts import read_addopts
from flake8_async_tests.project.config import Configs, PytestConfig, Setting
from flake8_async_tests.project.files import Files
from flake8_async_tests.project.ini import IniError, parse_ini


def write(folder: Path, tree: dict[str, str]) -> None:
    """Lay out files; `-> target` is a link, `<folder>` an empty folder, `<pipe>` a named pipe."""
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        elif content == "<folder>":
            path.mkdir()
        elif content == "<pipe>":
            os.mkfifo(path)
        else:
            path.write_bytes(content.encode("utf-8", "surrogateescape"))


def configuration(folder: Path, tree: dict[str, str], within: str = "") -> PytestConfig:
    write(folder, tree)
    return Configs(Files()).for_directory(str(folder / within))


def from_ini(folder: Path, text: str) -> PytestConfig:
    return configuration(folder, {"pytest.ini": text})


def setting(found: Setting | None) -> Setting:
    assert found is not None
    return found


# What real pytest says -------------------------------------------------------------------------------------

AUTO = "[pytest]\nasyncio_mode = auto\n"
STRICT = "[pytest]\nasyncio_mode = strict\n"
AUTO_TOML = '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'


@dataclass(frozen=True)
class Layout:
    """A project and the folder of the file that pytest is given; `cwd` is where it is started."""

    tree: dict[str, str]
    within: str = ""
    cwd: str = ""
    refused: bool = False
    """Whether pytest stops with an error."""
    more_careful: bool = False
    """Whether pytest goes on although this project says that it does not know."""
    tags: dict[str, str] = field(default_factory=dict)


def ini(addopts: str, *more: str) -> Layout:
    return Layout({"pytest.ini": "\n".join(["[pytest]", f"addopts = {addopts}", *more])})


def refused(tree: dict[str, str], within: str = "") -> Layout:
    return Layout(tree, within, refused=True)


LAYOUTS = {
    "pytest.toml": Layout({"pytest.toml": '[pytest]\nasyncio_mode = "auto"\n', "pytest.ini": STRICT}),
    ".pytest.toml": Layout({".pytest.toml": '[pytest]\nasyncio_mode = "auto"\n', "pytest.ini": STRICT}),
    "empty pytest.toml": Layout({"pytest.toml": "", "pytest.ini": AUTO}),
    "pytest.toml with another table": Layout({"pytest.toml": AUTO_TOML, "pytest.ini": AUTO}),
    "pytest.toml without table": refused({"pytest.toml": 'asyncio_mode = "auto"\n'}),
    "pytest.toml, pytest no table": refused({"pytest.toml": "pytest = 1\n"}),
    "pytest.ini": Layout({"pytest.ini": AUTO, "pyproject.toml": '[project]\nname = "x"\n'}),
    "empty pytest.ini wins": Layout({"pytest.ini": "", "pyproject.toml": AUTO_TOML}),
    "pytest.ini with [tool:pytest]": Layout({"pytest.ini": "[tool:pytest]\nasyncio_mode = auto\n"}),
    ".pytest.ini": Layout({".pytest.ini": AUTO, "pyproject.toml": AUTO_TOML}),
    "pyproject before tox.ini": Layout({"pyproject.toml": AUTO_TOML, "tox.ini": STRICT}),
    "pyproject empty ini_options": Layout({"pyproject.toml": "[tool.pytest.ini_options]\n", "tox.ini": AUTO}),
    "pyproject empty tool.pytest": Layout({"pyproject.toml": "[tool.pytest]\n", "tox.ini": AUTO}),
    "pyproject native": Layout({"pyproject.toml": '[tool.pytest]\nasyncio_mode = "auto"\naddopts = ["-x"]\n'}),
    "pyproject native by a mere subtable": Layout({"pyproject.toml": "[tool.pytest.asyncio]\n", "tox.ini": AUTO}),
    "pyproject both": refused({"pyproject.toml": AUTO_TOML + '[tool.pytest]\naddopts = ["-x"]\n'}),
    "pyproject both, one empty": Layout({"pyproject.toml": "[tool.pytest]\ntestpaths = []\n[tool.pytest.ini_options]\n"}),
    "pyproject native addopts text": refused({"pyproject.toml": '[tool.pytest]\naddopts = "-q"\n'}),
    "pyproject native list of numbers": refused({"pyproject.toml": "[tool.pytest]\npython_files = [1]\n"}),
    "pyproject ini_options no table": refused({"pyproject.toml": "[tool.pytest]\nini_options = 1\n"}),
    "pyproject tool.pytest no table": refused({"pyproject.toml": "[tool]\npytest = 1\n"}),
    "pyproject tool no table": refused({"pyproject.toml": "tool = 1\n"}),
    "pyproject broken": refused({"pyproject.toml": "[tool\n"}),
    "pyproject with BOM": refused({"pyproject.toml": "\ufeff" + AUTO_TOML}),
    "pyproject too deep": refused({"pyproject.toml": f"a = {'[' * 5000}{']' * 5000}\n"}),
    "pyproject lone returns": Layout({"pyproject.toml": AUTO_TOML.replace("\n", "\r")}),
    "pyproject quoted table": Layout({"pyproject.toml": '["tool.pytest.ini_options"]\nasyncio_mode = "auto"\n'}),
    "pyproject lists": Layout({"pyproject.toml": AUTO_TOML + 'python_files = ["a_*.py", "b c"]\npythonpath = [".", "src"]'}),
    "pyproject texts": Layout({"pyproject.toml": AUTO_TOML + "python_files = \"a_*.py 'b c'\"\npythonpath = '. src'"}),
    "tox.ini": Layout({"tox.ini": "[tox]\nenvlist = a\n" + AUTO, "setup.cfg": "[tool:pytest]\n"}),
    "tox.ini without": Layout({"tox.ini": "[tox]\n", "setup.cfg": "[tool:pytest]\nasyncio_mode = auto\n"}),
    "setup.cfg": Layout({"setup.cfg": "[metadata]\nname = x\n[tool:pytest]\nasyncio_mode = auto\n"}),
    "setup.cfg with [pytest]": refused({"setup.cfg": AUTO}),
    "setup.cfg with [pytest] beside a winner": refused({"setup.cfg": AUTO, "pytest.ini": AUTO}),
    "setup.cfg with both": Layout({"setup.cfg": STRICT + "[tool:pytest]\nasyncio_mode = auto\n"}),
    "broken neighbour": refused({"pytest.ini": AUTO, "tox.ini": "[tox]\nenvlist\n"}),
    "not UTF-8": refused({"pytest.ini": "[pytest]\n# \udcff\n"}),
    "duplicate option": refused({"pytest.ini": AUTO + "asyncio_mode = auto\n"}),
    "duplicate section": refused({"pytest.ini": AUTO + "[other]\n[other]\n"}),
    "unclosed quote": refused({"pytest.ini": "[pytest]\naddopts = -k 'a\n"}),
    "unclosed quote in python_files": refused({"pytest.ini": "[pytest]\npython_files = 'a\n"}),
    "BOM in ini": Layout({"pytest.ini": "\ufeff" + AUTO}),
    "colon": Layout({"pytest.ini": "[pytest]\nasyncio_mode: auto\npython_files: a=b\n"}),
    "comments": Layout({"pytest.ini": "; a\n[pytest] # b\n # c\nasyncio_mode = auto # no comment\npython_files =\n  a\n#d\n\n  b\n"}),
    "indented section": Layout({"pytest.ini": "[pytest]\nasyncio_mode = auto\n [other]\npython_files = x\n"}),
    "odd bracket": Layout({"pytest.ini": "[pytest]\npython_files = x\n[a\n"}),
    "odd line ends": Layout({"pytest.ini": "[pytest]\r\npython_files = x\x0casyncio_mode = auto\r"}),
    "empty value": Layout({"pytest.ini": "[pytest]\npython_files =\npython_classes =\n"}),
    "folder": Layout({"pytest.ini": "<folder>", "pyproject.toml": AUTO_TOML}),
    "pipe": Layout({"pytest.ini": "<pipe>", "pyproject.toml": AUTO_TOML}),
    "dangling link": Layout({"pytest.ini": "-> nowhere", "pyproject.toml": AUTO_TOML}),
    "linked file": Layout({"real.txt": AUTO, "pytest.ini": "-> real.txt"}),
    "linked folder": Layout({"one/pytest.ini": AUTO, "one/two/x": "", "link": "-> one/two", "pytest.ini": STRICT}, "link"),
    "upwards": Layout({"pytest.ini": AUTO, "a/b/c/x": ""}, "a/b/c"),
    "nearest wins": Layout({"pytest.ini": AUTO, "a/tox.ini": "[pytest]\n", "a/b/x": ""}, "a/b"),
    "pyproject without, config above": Layout({"tox.ini": AUTO, "a/pyproject.toml": "[project]\n", "a/b/x": ""}, "a/b"),
    "pyproject without": Layout({"pyproject.toml": "[tool.x]\n", "a/pyproject.toml": "", "a/b/x": ""}, "a/b"),
    "pyproject without, above only": Layout({"pyproject.toml": "[tool.x]\n", "a/setup.py": "", "a/b/x": ""}, "a/b"),
    "broken above a bare pyproject": refused({"tox.ini": "x", "a/pyproject.toml": "", "a/b/x": ""}, "a/b"),
    "setup.py": Layout({"setup.py": "", "a/setup.py": "", "a/b/x": ""}, "a/b"),
    "setup.py above only": Layout({"setup.py": "", "a/b/x": ""}, "a/b"),
    "nothing, started above": Layout({"a/b/x": ""}, "a/b"),
    "nothing, started below": Layout({"a/b/x": ""}, "a", "a/b"),
    "nothing, started beside": Layout({"a/b/x": "", "c/x": ""}, "a/b", "c"),
    "nothing, started at the top": Layout({"a/b/x": ""}, "a/b", "/"),
    "flag": ini("--asyncio-mode=auto", "asyncio_mode = strict"),
    "flag and word": ini("-x --asyncio-mode auto -q"),
    "flag twice": ini("--asyncio-mode=strict --asyncio-mode=auto"),
    "flag beats -o": ini("--asyncio-mode=auto -o asyncio_mode=strict"),
    "flag without value": Layout(ini("--asyncio-mode").tree, refused=True),
    "-o": ini("-o asyncio_mode=auto -o python_files='a b'", "asyncio_mode = strict"),
    "-o joined": ini("-oasyncio_mode=strict -oasyncio_mode=auto"),
    "-o with equals": ini("-o=asyncio_mode=auto"),
    "-o among others": ini("-xvoasyncio_mode=auto"),
    "-o among others, apart": ini("-xo asyncio_mode=auto"),
    "-o without value": Layout(ini("-o").tree, refused=True),
    "-o without equals": Layout(ini("-o asyncio_mode").tree, refused=True),
    "--override-ini": ini("--override-ini=asyncio_mode=auto --override-ini python_files=x"),
    "-o after the end": ini("-x -- -o asyncio_mode=auto", "asyncio_mode = strict"),
    "-o pythonpath": ini("-o pythonpath='lib src'"),
    "-o unclosed quote": Layout(ini('''-o "python_files='"''').tree, refused=True),
    "no abbreviation": Layout(ini("--asyncio-mod=auto").tree, refused=True, more_careful=False, tags={"silent": "yes"}),
    "--rootdir is too late": Layout(ini("--rootdir=a -c a/pytest.ini").tree | {"a/pytest.ini": AUTO}),
    "-p no:asyncio": ini("-p no:asyncio", "asyncio_mode = auto"),
    "-pno:asyncio": ini("-pno:asyncio -p no:pytest_anyio"),
    "-p no and yes": ini("-p no:asyncio -p asyncio"),
    "-p hidden": ini("-xp no:asyncio"),
    "-p without": Layout(ini("-p").tree, refused=True),
    "--disable-plugin-autoload": ini("--disable-plugin-autoload"),
    "--disable-plugin-autoload, asyncio": ini("--disable-plugin-autoload -p pytest_asyncio.plugin --asyncio-mode=auto"),
    "addopts list": Layout({"pyproject.toml": AUTO_TOML + 'addopts = ["-p no:anyio", "-o", "python_files=x y"]\n'}),
    "addopts list, joined": Layout({"pyproject.toml": AUTO_TOML + 'addopts = ["-o python_files=x y"]\n'}),
    "addopts list of numbers": refused({"pyproject.toml": AUTO_TOML + 'addopts = ["-x", 1]\n'}),
    "addopts from a file": Layout(ini("@more").tree | {"more": "-x\n"}, more_careful=True),
    "anyio flag": ini("--anyio-mode=auto", "anyio_mode = strict"),
    "anyio option": ini("--anyio-mode=strict", "anyio_mode = auto"),
    "anyio neither": ini("--anyio-mode=strict"),
}

ASK_PYTEST = """
import json, os, sys
from _pytest.config import _prepareconfig
from _pytest.outcomes import OutcomeException

LISTS = sys.argv[2].split(",")

def ask(cwd, file):
    os.chdir(cwd)
    found = None
    try:
        found = _prepareconfig([file, "-s"])
        plugins = found.pluginmanager
        has_asyncio, has_anyio = plugins.has_plugin("asyncio"), plugins.has_plugin("anyio")
        has_asyncio = has_asyncio or plugins.has_plugin("pytest_asyncio.plugin")
        return {
            "rootdir": str(found.rootpath),
            "path": found.inipath and str(found.inipath),
            "asyncio": has_asyncio,
            "asyncio_mode": has_asyncio and (found.getoption("asyncio_mode") or found.getini("asyncio_mode")),
            "anyio": has_anyio,
            "anyio_auto": has_anyio and "auto" in (found.getoption("anyio_mode"), found.getini("anyio_mode")),
            "lists": {name: list(map(str, found.getini(name))) for name in LISTS},
            "strict": found.getini("strict_markers"),
        }
    except (Exception, OutcomeException) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        if found is not None:
            found._ensure_unconfigure()

with open(sys.argv[1]) as stream:
    questions = json.load(stream)
answers = {name: ask(*question) for name, question in questions.items()}
with open(sys.argv[1], "w") as stream:
    json.dump(answers, stream)
"""

COMPARED_LISTS = ("python_files", "python_classes", "python_functions", "pythonpath")


@dataclass(frozen=True)
class Asked:
    folder: Path
    answers: dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What real pytest finds for every layout, in one process."""
    pytest.importorskip("pytest_asyncio")
    pytest.importorskip("anyio")
    if pytest.version_tuple < (9, 2):
        pytest.skip("this is what pytest 9.2 does")
    folder = tmp_path_factory.mktemp("layouts").resolve()
    questions = {}
    for number, (name, layout) in enumerate(LAYOUTS.items()):
        base = folder / str(number)
        write(base, layout.tree | {os.path.join(layout.within, "test_it.py"): ""})
        questions[name] = (str(base / layout.cwd), str(base / layout.within / "test_it.py"))
    exchange = folder / "questions.json"
    exchange.write_text(json.dumps(questions))
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-c", ASK_PYTEST, str(exchange), ",".join(COMPARED_LISTS)]
    subprocess.run(command, check=True, env=env, timeout=60, capture_output=True)
    return Asked(folder, json.loads(exchange.read_text()))


@pytest.mark.parametrize("name", LAYOUTS)
def test_agrees_with_pytest(name: str, asked: Asked) -> None:
    layout, answer = LAYOUTS[name], asked.answers[name]
    base = asked.folder / str(list(LAYOUTS).index(name))
    ours = Configs(Files(), str(base / layout.cwd)).for_directory(str(base / layout.within))

    if "silent" in layout.tags:
        # pytest refuses any unknown flag; which flags a plugin knows is not for this project to say.
        assert ours.known
        assert "error" in answer
        return
    assert ("error" in answer) == layout.refused, answer
    assert ours.known != (layout.refused or layout.more_careful), ours.fault
    if layout.refused:
        return
    assert (ours.rootdir, ours.path) == (answer["rootdir"], answer["path"])
    if layout.more_careful:
        return
    theirs = answer["lists"]
    assert {option: list(getattr(ours, option)) for option in COMPARED_LISTS} == theirs
    loaded = "asyncio" not in ours.disabled_plugins and not ours.autoload_disabled
    assert answer["asyncio"] is (loaded or "pytest_asyncio.plugin" in ours.early_plugins)
    if answer["asyncio"]:
        assert (ours.asyncio_mode.value if ours.asyncio_mode else "strict") == answer["asyncio_mode"]
    assert answer["anyio"] is ("anyio" not in ours.disabled_plugins and not ours.autoload_disabled)
    if answer["anyio"]:
        assert bool(ours.anyio_mode and ours.anyio_mode.value == "auto") is answer["anyio_auto"]
