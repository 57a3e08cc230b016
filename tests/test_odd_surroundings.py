"""Whatever stands around a file, broken or strange: no rule fails on it, and none waits for ever."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests import Checker
from flake8_async_tests.project.files import Files
from flake8_async_tests.rules import all_rules
from tests.linting import configure, lint_project

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = """\
import pytest
from helpers import client, fetch
from shop import Client, order
from shop.orders import total
from . import near
from .near import make

pytest_plugins = ["plugins", "shop.plugin"]


@pytest.fixture
async def one(client): ...


async def test_total(one, order, make):
    fetch()
    total()
    Client().get()


@pytest.mark.asyncio
async def test_other(event_loop): ...
"""
NAMES = ("conftest.py", "pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini", "pytest.toml", "helpers.py", "shop.py")
PLAIN = "from helpers import fetch\n\n\nasync def test_total():\n    fetch()\n"


def codes(folder: Path, text: str = TEXT, name: str = "test_it.py") -> set[str]:
    configure(["--extend-select=AT9"])
    checker = Checker(ast.parse(text), text.splitlines(keepends=True), str(folder / name))
    return {message[:5] for _, _, message in checker.reports(all_rules())}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()
    (path / path.name).touch()


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_its_folder(path: Path) -> None:
    path.symlink_to(".", target_is_directory=True)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def undecodable(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00[pytest]\n\x81 = \x9f\n")


def null_bytes(path: Path) -> None:
    path.write_bytes(b"[pytest]\nasyncio_mode = \0auto\0\n" if path.suffix != ".py" else b"async def fetch(): \0...\n")


def nonsense(path: Path) -> None:
    path.write_text("[pytest\n= ]\n[tool.pytest\n'''\ndef (:\n\tx\n  y\nasync def fetch(")


def unclosed(path: Path) -> None:
    path.write_text(
        "from shop import (\n    a,\nasync def fetch(): ...\nclass Client(\n@pytest.fixture\n[tool.pytest]\n"
    )


def unknown_encoding(path: Path) -> None:
    path.write_text("# coding: klingon\nasync def fetch(): ...\n")


def too_large(path: Path) -> None:
    with path.open("w") as stream:
        stream.write("[pytest]\nasyncio_mode = auto\n" if path.suffix != ".py" else "async def fetch(): ...\n")
        stream.write("# and so on, and so on\n" * 450_000)


def deep(path: Path) -> None:
    path.write_text(f"x = {'[' * 5000}{']' * 5000}\n")


THINGS: tuple[Callable[[Path], None], ...] = (
    folder,
    link_to_itself,
    link_to_its_folder,
    link_to_nothing,
    deep,
    nonsense,
    null_bytes,
    too_large,
    unclosed,
    undecodable,
    unknown_encoding,
)
if sys.platform != "win32":
    THINGS = (*THINGS, device, pipe)


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_that_no_file_around_is_too_odd(tmp_path: Path, name: str, thing: Callable[[Path], None]) -> None:
    (tmp_path / ".git").mkdir()
    thing(tmp_path / name)
    codes(tmp_path)
    codes(tmp_path, name="conftest.py")
    (tmp_path / "tests").mkdir()
    thing(tmp_path / "tests" / name)
    codes(tmp_path / "tests")


@pytest.mark.skipif(sys.platform == "win32", reason="other permissions")
def test_that_what_may_not_be_read_is_not_there(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    for name in NAMES:
        (tmp_path / name).touch(mode=0)
    codes(tmp_path)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    codes(tmp_path / "closed")


class Vanishing(Files):
    """Files of which each is something else by the time it is read: gone, a folder, or another file."""

    def __init__(self, *, becomes: str) -> None:
        super().__init__()
        self._becomes = becomes

    def afresh(self) -> Files:
        return Vanishing(becomes=self._becomes)

    def read(self, path: str) -> bytes | None:
        if self.has(path) and os.path.isfile(path):
            Path(path).unlink()
            if self._becomes == "folder":
                Path(path).mkdir()
            elif self._becomes == "other":
                Path(path).write_text("something = else\n")
        return super().read(path)


@pytest.mark.parametrize("becomes", ["nothing", "folder", "other"])
def test_that_files_may_change_while_they_are_read(tmp_path: Path, becomes: str) -> None:
    (tmp_path / "tests").mkdir()
    for place in (tmp_path, tmp_path / "tests"):
        for name in NAMES:
            (place / name).write_text("async def fetch(): ...\n" if name.endswith(".py") else "[pytest]\n")
    configure()
    project = Checker.project
    Checker.project = type(project)(project.options, Vanishing(becomes=becomes))
    path = str(tmp_path / "tests" / "test_it.py")
    Checker(ast.parse(TEXT), TEXT.splitlines(keepends=True), path).reports(all_rules())


CIRCLES = {
    "conftests that name each other as plugins": {
        "conftest.py": "pytest_plugins = ['tests.conftest', 'plugins']\n",
        "tests/__init__.py": "",
        "tests/conftest.py": "pytest_plugins = ['conftest', 'tests.conftest', 'plugins']\n",
        "plugins.py": "pytest_plugins = ['conftest', 'plugins', 'tests.plugins']\n",
        "tests/plugins.py": "pytest_plugins = 'plugins'\n",
    },
    "conftests that import from each other": {
        "conftest.py": "from tests.conftest import *\nfrom tests.conftest import client\n",
        "tests/__init__.py": "from tests.test_it import *\nfrom . import *\n",
        "tests/conftest.py": "from conftest import *\nfrom conftest import client\nfrom .test_it import one\n",
    },
    "modules that import all of each other": {
        **{
            f"m{number}.py": "".join(f"from m{other} import *\n" for other in range(12) if other != number)
            for number in range(12)
        },
        "helpers.py": "from m1 import *\nfrom shop import *\n",
        "shop.py": "from helpers import *\nfrom shop import Client\n",
    },
    "classes that inherit from each other": {
        "helpers.py": "from shop import Client\nclass Base(Client): ...\nfetch = Base().fetch\n",
        "shop.py": "from helpers import Base\nclass Client(Base): ...\n",
    },
    "names for each other": {
        "helpers.py": "from shop import fetch\n",
        "shop.py": "from helpers import fetch as fetch\n",
    },
    "a long line of plugins": {f"p{number}.py": f"pytest_plugins = ['p{number + 1}']\n" for number in range(1200)}
    | {"conftest.py": "pytest_plugins = ['p0']\n"},
    "a long line of stars": {f"m{number}.py": f"from m{number + 1} import *\n" for number in range(1200)}
    | {"helpers.py": "from m0 import *\n", "conftest.py": "from m0 import *\n"},
    "a long line of bases": {
        f"m{number}.py": f"from m{number + 1} import A{number + 1}\nclass A{number}(A{number + 1}): ...\n"
        for number in range(300)
    }
    | {"shop.py": "from m0 import A0 as Client\n", "helpers.py": "async def fetch(): ...\n"},
}


@pytest.mark.parametrize("files", CIRCLES.values(), ids=CIRCLES)
def test_that_circles_and_long_lines_come_to_an_end(tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / ".git").mkdir()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "tests").mkdir(exist_ok=True)
    for place in (tmp_path, tmp_path / "tests"):
        codes(place)
    for name in ("conftest.py", "helpers.py"):
        codes(tmp_path, files.get(name, TEXT), name)


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a b", "ä", "-", "\udcff\udcfe", "x" * 250, "a\\b", "*", "test_a.py"])
def test_that_no_name_of_a_folder_or_file_is_too_odd(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.mkdir()
    (place / ".git").mkdir()
    (place / "pytest.ini").write_text("[pytest]\nasyncio_timeout = 3\n")
    (place / "conftest.py").write_text("import pytest\nfrom helpers import *\n")
    (place / "helpers.py").write_text("async def fetch(): ...\n")
    (place / "shop").mkdir()
    (place / "shop.py").mkdir()
    (place / "shop" / "__init__.py").mkdir()
    if len(name) < 200:
        (place / f"test_{name}.py").write_text(PLAIN)
        assert codes(place, PLAIN, f"test_{name}.py") == {"AT101", "AT301"}
    assert codes(place, PLAIN) == {"AT101", "AT301"}
    assert "AT802" in codes(place, "import pytest\n", "conftest.py")


def test_that_a_package_may_import_its_own_module_of_the_same_name(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "from shop import shop\n",
        "shop/shop.py": "async def fetch(): ...\n",
        "test_it.py": "from shop import shop\n\n\nasync def test_it():\n    shop.fetch()\n",
    }
    assert [finding.code for finding in lint_project(files, tmp_path)["test_it.py"]] == ["AT101", "AT301"]


def test_that_a_package_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("no package\n")
    (tmp_path / "helpers.py").mkdir()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "__init__.py").mkdir()
    codes(tmp_path)
    assert "AT101" in codes(tmp_path, PLAIN)


def test_that_links_in_circles_are_followed_no_further_than_the_system_does(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_timeout = 3\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").symlink_to("..", target_is_directory=True)
    deep_folder = tmp_path.joinpath(*["a", "b"] * 15)
    assert codes(deep_folder) == codes(tmp_path)
    (tmp_path / "c").symlink_to("d")
    (tmp_path / "d").symlink_to("c")
    codes(tmp_path / "c" / "d")
