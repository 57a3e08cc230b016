"""Which configuration pytest takes, with what values, on which lines: by hand, and compared with real pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.project import config, files, toml_lines
from flake8_async_tests.project.addopts import read_addopts
from flake8_async_tests.project.config import Configs, PytestConfig, Setting
from flake8_async_tests.project.files import Files
from flake8_async_tests.project.ini import IniError, parse_ini

if TYPE_CHECKING:
    from pathlib import Path


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
    known: bool | None = None
    """What this project says, where that is not the opposite."""


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
    "pyproject both, one a mere subtable": Layout(
        {"pyproject.toml": AUTO_TOML + '[tool.pytest.coverage]\nexclude = ["a"]\n'}, refused=True, known=True
    ),
    "pyproject both, one empty": Layout(
        {"pyproject.toml": "[tool.pytest]\ntestpaths = []\n[tool.pytest.ini_options]\n"}
    ),
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
    "pyproject lists": Layout(
        {"pyproject.toml": AUTO_TOML + 'python_files = ["a_*.py", "b c"]\npythonpath = [".", "src"]'}
    ),
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
    "comments": Layout(
        {"pytest.ini": "; a\n[pytest] # b\n # c\nasyncio_mode = auto # no comment\npython_files =\n  a\n#d\n\n  b\n"}
    ),
    "indented section": Layout({"pytest.ini": "[pytest]\nasyncio_mode = auto\n [other]\npython_files = x\n"}),
    "odd bracket": Layout({"pytest.ini": "[pytest]\npython_files = x\n[a\n"}),
    "odd line ends": Layout({"pytest.ini": "[pytest]\r\npython_files = x\x0casyncio_mode = auto\r"}),
    "empty value": Layout({"pytest.ini": "[pytest]\npython_files =\npython_classes =\n"}),
    "folder": Layout({"pytest.ini": "<folder>", "pyproject.toml": AUTO_TOML}),
    "pipe": Layout({"pytest.ini": "<pipe>", "pyproject.toml": AUTO_TOML}),
    "dangling link": Layout({"pytest.ini": "-> nowhere", "pyproject.toml": AUTO_TOML}),
    "linked file": Layout({"real.txt": AUTO, "pytest.ini": "-> real.txt"}),
    "linked folder": Layout(
        {"one/pytest.ini": AUTO, "one/two/x": "", "link": "-> one/two", "pytest.ini": STRICT}, "link"
    ),
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
    "flag without value": Layout(ini("--asyncio-mode").tree, known=False),  # pytest takes the file's own name
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
    "no abbreviation": Layout(ini("--asyncio-mod=auto").tree, refused=True, known=True),
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
    "addopts from a file": Layout(ini("@more").tree | {"more": "-x\n"}, known=False),
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

    assert ("error" in answer) is layout.refused, answer
    assert ours.known is (not layout.refused if layout.known is None else layout.known), ours.fault
    if layout.refused:
        return
    assert (ours.rootdir, ours.path) == (answer["rootdir"], answer["path"])
    if not ours.known:
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


# Lines -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pytest.ini", ".pytest.ini", "tox.ini"])
def test_line_in_an_ini_file(tmp_path: Path, name: str) -> None:
    text = "# first\n\n[pytest]\nmarkers =\n    one\n\n    # not this\n    two\nasyncio_mode = auto\n"
    found = configuration(tmp_path, {name: text})
    path = str(tmp_path / name)
    assert found.asyncio_mode == Setting("asyncio_mode", "auto", ("auto",), path, 9)
    assert found.get("markers") == Setting("markers", "one\ntwo", ("one", "two"), path, 4)
    assert found.get("asyncio_debug") is None


def test_what_addopts_decides_stands_at_addopts(tmp_path: Path) -> None:
    found = from_ini(
        tmp_path,
        "[pytest]\nasyncio_mode = strict\naddopts = -o trio_mode=true --strict-markers\n  --asyncio-mode=auto\n",
    )
    for decided in (found.asyncio_mode, found.trio_mode, found.get("trio_mode"), found.get("strict_markers")):
        assert (setting(decided).line, setting(decided).via) == (3, "addopts")
    assert setting(found.asyncio_mode).value == "auto"
    assert setting(found.get("asyncio_mode")).value == "strict"
    assert setting(found.trio_mode).truth is True


def test_anyio_mode_is_the_one_that_says_auto(tmp_path: Path) -> None:
    flag = from_ini(tmp_path, "[pytest]\nanyio_mode = strict\naddopts = --anyio-mode=auto\n")
    assert (setting(flag.anyio_mode).value, setting(flag.anyio_mode).line) == ("auto", 3)
    option = from_ini(tmp_path, "[pytest]\nanyio_mode = auto\naddopts = --anyio-mode=strict\n")
    assert (setting(option.anyio_mode).value, setting(option.anyio_mode).line) == ("auto", 2)


TOML = """\
# [tool.pytest.ini_options]
title = '''
[tool.pytest.ini_options]
asyncio_mode = "no"'''''
other = \"\"\"
a = "b" \\\"""
c = 1\"\"\"
list = [  # ]
    "[x]", '[y]',
    { in_list = { deeper = 1 } },
]
inline = { one = 1, two = { three = "}" }, four = {}, "fi\\u0076e".six = [1, 2] }
a.b.c = 1
a . "d.e" = 2

[ tool . 'pytest' ."ini_options" ] # here
asyncio_mode = "auto"
[[tool.many]]
key = 1
[[tool.many]]
key = 2
[tool]
last = 1979-05-27T07:32:00.5Z
"""


def test_lines_of_a_toml_document() -> None:
    lines = toml_lines.lines_of_keys(TOML)
    assert lines == {
        ("title",): 2,
        ("other",): 5,
        ("list",): 8,
        ("inline",): 12,
        ("inline", "one"): 12,
        ("inline", "two"): 12,
        ("inline", "two", "three"): 12,
        ("inline", "four"): 12,
        ("inline", "five"): 12,
        ("inline", "five", "six"): 12,
        ("a",): 13,
        ("a", "b"): 13,
        ("a", "b", "c"): 13,
        ("a", "d.e"): 14,
        ("tool",): 22,
        ("tool", "pytest"): 16,
        ("tool", "pytest", "ini_options"): 16,
        ("tool", "pytest", "ini_options", "asyncio_mode"): 17,
        ("tool", "many"): 18,
        ("tool", "many", "key"): 19,
        ("tool", "last"): 23,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[tool.pytest.ini_options]\n\nasyncio_mode = "auto"', 3),
        ('[tool.pytest]\nini_options.asyncio_mode = "auto"', 2),
        ('[tool]\n\npytest.ini_options = { asyncio_mode = "auto" }', 3),
        ('tool.pytest."ini_options"."asyncio_mode" = "auto"', 1),
        ('[tool.pytest]\nminversion = "8"\nasyncio_mode = "auto"', 3),
        ('x = [\n  1,\n]\n["tool"."pytest"]\n"asyncio_mode" = "auto"\n[tool]\n', 5),
        ('[tool.pytest.ini_options]\r\n\r\nasyncio_mode = "auto"\r\n', 3),
    ],
)
def test_line_in_pyproject(tmp_path: Path, text: str, line: int) -> None:
    found = configuration(tmp_path, {"pyproject.toml": text})
    mode = setting(found.asyncio_mode)
    assert (mode.value, mode.line, mode.path) == ("auto", line, str(tmp_path / "pyproject.toml"))


def test_a_line_that_is_not_found_is_that_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {"pyproject.toml": "\n" + AUTO_TOML}
    monkeypatch.setattr(toml_lines, "lines_of_keys", lambda _: {("tool", "pytest"): 2})
    assert setting(configuration(tmp_path, tree).asyncio_mode).line == 2
    monkeypatch.setattr(toml_lines, "lines_of_keys", lambda _: {})
    assert setting(configuration(tmp_path, tree).asyncio_mode).line == 1


# Values ----------------------------------------------------------------------------------------------------


def test_values_of_toml(tmp_path: Path) -> None:
    found = configuration(
        tmp_path,
        {
            "pyproject.toml": "[tool.pytest.ini_options]\nasyncio_debug = true\nxfail_strict = 1\nlog_level = 1.5\n"
            "markers = 'a\\n b'\nrequired_plugins = ['a b', 'c']\nsince = 1979-05-27\nempty = ''\n"
            "asyncio_mode = ['auto']\n[tool.pytest.ini_options.more]\n"
        },
    )
    kinds = {name: (each.kind, each.value, each.values) for name, each in found.settings.items()}
    assert kinds == {
        "asyncio_debug": ("boolean", "true", ("true",)),
        "xfail_strict": ("number", "1", ("1",)),
        "log_level": ("number", "1.5", ("1.5",)),
        "markers": ("text", "a\\n b", ("a\\n b",)),
        "required_plugins": ("list", "a b\nc", ("a b", "c")),
        "since": ("other", "1979-05-27", ("1979-05-27",)),
        "empty": ("text", "", ()),
        "asyncio_mode": ("list", "auto", ("auto",)),
        "more": ("table", "", ()),
    }
    assert setting(found.asyncio_mode).fault == "asyncio_mode must be a string"
    assert not any(each.native for each in found.settings.values())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("asyncio_debug = true", ""),
        ("asyncio_debug = 'true'", "asyncio_debug must be a TOML boolean"),
        ("asyncio_mode = 'auto'", ""),
        ("asyncio_mode = 1", "asyncio_mode must be a string"),
        ("anything = 1", ""),
    ],
)
def test_native_values_need_the_right_type(tmp_path: Path, line: str, fault: str) -> None:
    found = configuration(tmp_path, {"pytest.toml": f"[pytest]\n{line}\n"})
    each = setting(found.get(line.split()[0]))
    assert found.known
    assert (each.fault, each.native, each.line) == (fault, True, 2)


@pytest.mark.parametrize(
    ("text", "truth"), [("true", True), (" Yes", True), ("1", True), ("off", False), ("0", False), ("maybe", None)]
)
def test_truth(text: str, truth: bool | None) -> None:
    assert Setting("trio_mode", text, (text,), "pytest.ini", 1).truth is truth


def test_pythonpath_and_patterns(tmp_path: Path) -> None:
    text = (
        f"[pytest]\npythonpath = src ../lib . {tmp_path}/a\npython_classes = Test* *Suite\npython_functions = check\n"
    )
    found = configuration(tmp_path, {"one/pytest.ini": text, "one/two/x": ""}, "one/two")
    one = tmp_path / "one"
    assert found.pythonpath == (str(one / "src"), str(tmp_path / "lib"), str(one), str(tmp_path / "a"))
    assert found.python_classes == ("Test*", "*Suite")
    assert found.python_functions == ("check",)
    assert found.python_files == ("test_*.py", "*_test.py")


@pytest.mark.parametrize(
    ("words", "disabled", "early"),
    [
        (["-p", "no:asyncio"], {"asyncio", "pytest_asyncio"}, ()),
        (["-p no:asyncio", "-ptrio"], {"asyncio", "pytest_asyncio"}, ("trio",)),
        (["-p", "no:pytest_asyncio"], {"pytest_asyncio"}, ()),
        (["-p", "no:asyncio", "-p", "asyncio"], set(), ("asyncio",)),
        (["-p"], set(), ()),
        (["-xp", "no:asyncio", "--pdb"], set(), ()),
    ],
)
def test_plugins_in_addopts(words: list[str], disabled: set[str], early: tuple[str, ...]) -> None:
    found = read_addopts(words)
    assert set(found.disabled_plugins) == disabled
    assert found.early_plugins == early


def test_first_fault_of_addopts_is_kept() -> None:
    assert read_addopts(["-o", "-x"]).fault == "-o in addopts has no value"
    assert read_addopts(["-o", "-", "-x"]).fault == "-o in addopts wants name=value"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = 1\n", "line 1: an option above the first section"),
        ("  a\n", "line 1: continues a value, but there is none above"),
        ("[pytest]\n  a\n", "line 2: continues a value, but there is none above"),
        ("\n[]\n", "line 2: a section without a name"),
        ("[a]\nb\n", "line 2: neither a section nor an option: 'b'"),
        ("[a]\nb = 1\nb: 2\n", "line 3: duplicate option 'b'"),
        ("[a]\n[a]\n", "line 2: duplicate section 'a'"),
    ],
)
def test_ini_errors(text: str, problem: str) -> None:
    with pytest.raises(IniError) as caught:
        parse_ini(text)
    assert str(caught.value) == problem


# What each file says, read or not --------------------------------------------------------------------------


def test_sections_of_a_pyproject(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pyproject.toml": '["tool:pytest"]\nasyncio_mode = "auto"\n[pytest]\nx = 1\n'
            "[tool.pytest-asyncio]\nmode = 1\n"
            '[tool.pytest.ini_options]\nasyncio_debug = true\n["tool.pytest"]\n[project.urls]\na = 1\n[tool.a.b]\n'
        },
    )
    raw = Configs(Files()).raw(str(tmp_path / "pyproject.toml"))
    assert raw is not None
    assert {name: section.line for name, section in raw.sections.items()} == {
        "tool:pytest": 1,
        "pytest": 3,
        "tool": 5,
        "tool.pytest-asyncio": 5,
        "tool.pytest": 7,
        "tool.pytest.ini_options": 7,
        "tool.a": 12,
        '"tool.pytest"': 9,
        "project": 10,
    }
    assert raw.sections["tool:pytest"].options["asyncio_mode"].line == 2
    assert raw.configuration is not None
    assert raw.configuration.name == "tool.pytest.ini_options"
    assert (raw.kind, raw.name, raw.error) == ("toml", "pyproject.toml", None)


def test_native_section_leaves_out_ini_options(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "[tool.pytest]\nx = 1\n[tool.pytest.ini_options]\n[tool.pytest.asyncio]\n"})
    (raw,) = Configs(Files()).candidates(str(tmp_path))
    assert raw.configuration is not None
    assert raw.configuration.native
    assert list(raw.configuration.options) == ["x", "asyncio"]
    assert list(raw.sections) == ["tool", "tool.pytest", "tool.pytest.ini_options", "tool.pytest.asyncio"]


def test_sections_of_a_pytest_toml(tmp_path: Path) -> None:
    write(tmp_path, {".pytest.toml": "[tool.pytest]\nx = 1\n[pytest]\n[pytest.asyncio]\n"})
    (raw,) = Configs(Files()).candidates(str(tmp_path))
    assert {name: section.native for name, section in raw.sections.items()} == {
        "tool": False,
        "tool.pytest": False,
        "pytest": True,
        "pytest.asyncio": False,
    }


def test_candidates_come_in_the_order_of_pytest(tmp_path: Path) -> None:
    write(tmp_path, {"setup.cfg": AUTO, "tox.ini": "[tox]\n", "pytest.ini": "<folder>", "pyproject.toml": "[", "x": ""})
    found = Configs(Files()).candidates(str(tmp_path))
    assert [raw.name for raw in found] == ["pyproject.toml", "tox.ini", "setup.cfg"]
    pyproject, tox, setup = found
    assert pyproject.error is not None
    assert (tox.error, tox.configuration, tox.kind) == (None, None, "ini")
    assert setup.error == "[pytest] in setup.cfg is an error, it must be [tool:pytest]"
    assert setup.sections["pytest"].options["asyncio_mode"].line == 2


# What cannot be known --------------------------------------------------------------------------------------


def test_nothing_is_said_of_a_refused_configuration(tmp_path: Path) -> None:
    found = configuration(tmp_path, {"tox.ini": AUTO, "setup.cfg": AUTO, "a/x": ""}, "a")
    assert (found.rootdir, found.path) == (str(tmp_path), str(tmp_path / "tox.ini"))
    assert not found.known
    assert found.fault.startswith(str(tmp_path / "setup.cfg"))
    assert (found.settings, found.asyncio_mode, found.python_files) == ({}, None, config.DEFAULT_PYTHON_FILES)


@pytest.mark.parametrize(
    ("size", "fault"),
    [
        (1024 * 1024 + 1, "is too large to be read"),
        (files.MAX_BYTES, "is too large to be read"),
        (files.MAX_BYTES + 1, "cannot be read"),
        (10 * 1024 * 1024, "cannot be read"),
    ],
)
def test_a_large_file_is_unknown(tmp_path: Path, size: int, fault: str) -> None:
    with (tmp_path / "pytest.ini").open("wb") as stream:
        stream.truncate(size)
    assert configuration(tmp_path, {}).fault == f"{tmp_path / 'pytest.ini'}: {fault}"


LONG_NUMBER = "0x" + "f" * 5000


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 100_000) + " = 1\n",
        "a = " + "[" * 100_000,
        "a = " + "9" * 100_000 + "\n",
        f"[tool.pytest.ini_options]\nasyncio_mode = {LONG_NUMBER}\n",
        f"[tool.pytest.ini_options]\naddopts = ['-x', {LONG_NUMBER}]\n",
        f"[tool.pytest]\nasyncio_mode = {LONG_NUMBER}\n",
        f"[tool.pytest.ini_options]\naddopts = '{'-' * 1_000_000}'\n",
    ],
    ids=["key", "brackets", "digits", "number", "number in a list", "number of its own type", "word"],
)
def test_hostile_toml_is_unknown_at_once(tmp_path: Path, text: str) -> None:
    started = time.monotonic()
    assert not configuration(tmp_path, {"pyproject.toml": text}).known
    assert time.monotonic() - started < 5


def test_a_very_long_option_is_unknown_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    found = from_ini(tmp_path, f"[pytest]\npython_files = {'x' * 1_000_000}\n")
    assert found.fault.endswith("python_files is too long to be read")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("opening", ['"""', "'''", '"', "[" * 50, "{" * 50, "a." * 50, "\\", "#"])
def test_lines_are_found_in_linear_time_and_without_error(opening: str) -> None:
    started = time.monotonic()
    toml_lines.lines_of_keys("x = " + opening * (100_000 // len(opening)))
    assert time.monotonic() - started < 5


def test_nothing_there_at_all() -> None:
    found = Configs(Files(), "/nowhere/to").for_directory("/nowhere/to/be/found\0")
    assert found.known
    assert (found.rootdir, found.path, found.ground) == ("/nowhere/to", None, "nothing")


def test_a_current_folder_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert Configs(Files()).for_directory("/nowhere/to/be").rootdir == "/nowhere/to/be"
    assert Configs(Files()).for_directory("nowhere").known


# Cost ------------------------------------------------------------------------------------------------------


def test_each_folder_and_file_is_read_once(tmp_path: Path) -> None:
    deep = {f"a/b/c{number}/test_it.py": "" for number in range(5)}
    write(tmp_path, {"tox.ini": "[tox]\n", "pyproject.toml": AUTO_TOML, "a/pyproject.toml": "", **deep})
    reader = Files()
    configs = Configs(reader)
    found = [configs.for_directory(str(tmp_path / os.path.dirname(name))) for name in deep]
    assert all(one is found[0] for one in found)
    assert set(reader.reads.values()) == {1}
    before = reader.reads.total()
    assert configs.for_directory(str(tmp_path / "a/b/c1")) is found[0]
    assert configs.for_directory(str(tmp_path / "a/../a/b")) is found[0]
    assert reader.reads.total() == before


def test_a_very_deep_folder_is_no_trouble() -> None:
    deep = "/nowhere" + "/a" * 1500
    assert Configs(Files(), deep).for_directory(deep).rootdir == deep


def test_tomllib_waits_until_it_is_needed() -> None:
    code = (
        "import sys; already = 'tomllib' in sys.modules; import flake8_async_tests.project.config;"
        "sys.exit('tomllib' in sys.modules and not already)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


# Repositories ----------------------------------------------------------------------------------------------


def test_repository_root(tmp_path: Path) -> None:
    write(tmp_path, {"a/.hg/x": "", "a/b/c/x": "", "a/d/.git": "gitdir: elsewhere", "a/d/e/x": ""})
    configs = Configs(Files())
    assert configs.repository_root(str(tmp_path / "a/b/c")) == str(tmp_path / "a")
    assert configs.repository_root(str(tmp_path / "a/d/e")) == str(tmp_path / "a/d")
    assert configs.repository_root(str(tmp_path / "a/d/e")) == str(tmp_path / "a/d")
    assert configs.repository_root("/nowhere/at/all") is None
