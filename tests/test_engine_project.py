"""What the engine knows of the project around a file, and who runs its tests."""

from __future__ import annotations

import ast
import os
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

from flake8_async_tests.options import Options
from flake8_async_tests.project.asyncio_mode import Mode
from flake8_async_tests.project.files import MAX_BYTES, Files
from flake8_async_tests.project.imports import find_module, find_relative_module, package_root
from flake8_async_tests.project.patterns import Patterns
from flake8_async_tests.project.project import Project, plugin_names
from flake8_async_tests.project.signs import signs_of
from flake8_async_tests.runner import Runs, is_harmless_plugin, nobody_because, runner_of
from flake8_async_tests.source.module import Module


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")


def module_of(project: Project, path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return project.module_for(str(path), ast.parse(text), text)


def module_in(folder: Path, files: dict[str, str], name: str = "test_example.py", *, repository: bool = True) -> Module:
    """A file of a project that is written to the disk."""
    if repository:
        (folder / ".git").mkdir()
    write(folder, files)
    return module_of(Project(Options()), folder / name)


def names_of(modules: tuple[Module, ...], folder: Path) -> list[str]:
    return [os.path.relpath(module.path, folder.resolve()) for module in modules]


# -- files ------------------------------------------------------------------------------------------------------------


def test_that_each_file_and_folder_is_looked_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"one.txt": "1", "folder/two.txt": "2"})
    files = Files()
    for _ in range(3):
        assert files.names_in(str(tmp_path)) == {"one.txt", "folder"}
        assert files.folders_in(str(tmp_path)) == ("folder",)
        assert files.read(str(tmp_path / "one.txt")) == b"1"
        assert files.read(str(tmp_path / "three.txt")) is None
        assert files.has(str(tmp_path / "folder"))
        assert not files.has(str(tmp_path / "three.txt"))
    assert set(files.reads.values()) == {1}
    assert str(tmp_path / "three.txt") not in files.reads


def test_that_a_folder_which_cannot_be_listed_is_empty(tmp_path: Path) -> None:
    files = Files()
    assert files.names_in(str(tmp_path / "nowhere")) == frozenset()
    assert files.names_in("\0") == frozenset()
    assert files.folders_in(str(tmp_path / "nowhere")) == ()


def test_that_links_to_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert Files().folders_in(str(tmp_path)) == ("real",)


def test_that_only_readable_files_of_a_sane_size_have_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").write_bytes(b"x" * (MAX_BYTES + 1))
    (tmp_path / "largest").write_bytes(b"x" * MAX_BYTES)
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "pipe")
    files = Files()
    assert files.read(str(tmp_path / "large")) is None
    assert files.read(str(tmp_path / "largest")) is not None
    assert files.read(str(tmp_path / "folder")) is None
    assert files.read(str(tmp_path / "circle")) is None
    assert files.read(str(tmp_path / "pipe")) is None
    # One that grows while it is read.
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", lambda _: SimpleNamespace(st_mode=0o100644, st_size=0))
        grown = Files().read(str(tmp_path / "large"))
    assert grown is None


def test_what_is_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"one.txt": ""})
    (tmp_path / "folder").mkdir()
    files = Files()
    assert files.is_file(str(tmp_path / "one.txt"))
    assert not files.is_file(str(tmp_path / "folder"))
    assert not files.is_file(str(tmp_path / "two.txt"))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("größe = 1".encode(), "größe = 1"),
        (b"# coding: latin-1\ngr\xf6\xdfe = 1", "# coding: latin-1\ngröße = 1"),
        (b"\xef\xbb\xbfx = 1", "x = 1"),
        (b"gr\xf6\xdfe = 1", None),
        (b"# coding: unheard-of\n", None),
        (b"", ""),
    ],
)
def test_the_text_of_a_python_file(tmp_path: Path, content: bytes, text: str | None) -> None:
    (tmp_path / "it.py").write_bytes(content)
    assert Files().text(str(tmp_path / "it.py")) == text


def test_that_a_file_which_is_not_there_has_no_text(tmp_path: Path) -> None:
    assert Files().text(str(tmp_path / "it.py")) is None


# -- imports ----------------------------------------------------------------------------------------------------------


class Everywhere(Files):
    """A file system in which every name is there."""

    def has(self, path: str) -> bool:
        return bool(path)


def test_the_folder_from_which_a_package_is_imported(tmp_path: Path) -> None:
    write(tmp_path, {"src/shop/__init__.py": "", "src/shop/cart/__init__.py": "", "src/shop/plain/it.py": ""})
    files = Files()
    source = str(tmp_path / "src")
    assert package_root(files, f"{source}/shop/cart") == source
    assert package_root(files, f"{source}/shop/plain") == f"{source}/shop/plain"
    assert package_root(files, source) == source
    assert package_root(Everywhere(), "/a/b") == "/"


def test_where_a_module_stands(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "one/shop/__init__.py": "",
            "one/shop/cart.py": "",
            "one/spaces/deep/it.py": "",
            "two/shop/order.py": "",
            "two/tax.py": "",
            "two/both.py": "",
            "two/both/__init__.py": "",
            "two/empty/data.txt": "",
        },
    )
    files = Files()

    def found(name: str) -> str | None:
        path = find_module(files, name, (str(tmp_path / "one"), str(tmp_path / "two")))
        return None if path is None else os.path.relpath(path, tmp_path)

    assert found("shop") == "one/shop/__init__.py"
    assert found("shop.cart") == "one/shop/cart.py"
    assert found("shop.order") == "two/shop/order.py"
    assert found("spaces.deep.it") == "one/spaces/deep/it.py"
    assert found("spaces") is None
    assert found("tax") == "two/tax.py"
    assert found("both") == "two/both/__init__.py"
    assert found("empty") is None
    assert found("tax.rate") is None
    assert found("somewhere.else_") is None


def test_where_a_relatively_named_module_stands(tmp_path: Path) -> None:
    write(tmp_path, {"shop/__init__.py": "", "shop/cart.py": "", "shop/sub/it.py": "", "shop/sub/deep/__init__.py": ""})
    files = Files()

    def found(name: str, folder: str = "shop/sub") -> str | None:
        path = find_relative_module(files, name, str(tmp_path / folder))
        return None if path is None else os.path.relpath(path, tmp_path)

    assert found(".it") == "shop/sub/it.py"
    assert found(".deep") == "shop/sub/deep/__init__.py"
    assert found("..cart") == "shop/cart.py"
    assert found("..sub.it") == "shop/sub/it.py"
    assert found("..") == "shop/__init__.py"
    assert found(".") is None
    assert found("...shop.cart") == "shop/cart.py"
    assert found("..other.it") is None


# -- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "path", "matches"),
    [
        (("test_*.py", "*_test.py"), "/a/test_b.py", True),
        (("test_*.py", "*_test.py"), "/a/b_test.py", True),
        (("test_*.py", "*_test.py"), "/a/tests.py", False),
        (("test*.py",), "/a/tests.py", True),
        (("tests/*.py",), "/a/tests/b.py", True),
        (("tests/*.py",), "/a/other/b.py", False),
        (("[ab].py",), "/a/b.py", True),
        ((), "/a/test_b.py", False),
    ],
)
def test_which_files_are_test_files(patterns: tuple[str, ...], path: str, matches: bool) -> None:
    assert Patterns(files=patterns).matches_file(path) is matches


@pytest.mark.parametrize(
    ("patterns", "name", "matches"),
    [
        (("test",), "test_it", True),
        (("test",), "testIt", True),
        (("test",), "it_test", False),
        (("*_test",), "it_test", True),
        (("check_?",), "check_a", True),
        (("check_?",), "check_ab", False),
        (("", "x"), "anything", True),
        ((), "test_it", False),
    ],
)
def test_which_names_are_those_of_tests(patterns: tuple[str, ...], name: str, matches: bool) -> None:
    assert Patterns(functions=patterns).matches_function(name) is matches
    assert Patterns(classes=patterns).matches_class(name) is matches


# -- signs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "plugin", "mode"),
    [
        ("pyproject.toml", 'dev = ["pytest-tornasync>=0.6"]', "pytest-tornasync in pyproject.toml", ""),
        ("setup.cfg", "test =\n    pytest_aiohttp", "pytest_aiohttp in setup.cfg", ""),
        ("requirements-dev.txt", "pytest-async==1", "pytest-async in requirements-dev.txt", ""),
        ("test-requirements.in", "pytest-curio", "pytest-curio in test-requirements.in", ""),
        ("requirements/test.txt", "pytest-twisted", "pytest-twisted in requirements/test.txt", ""),
        ("requirements/readme.md", "pytest-twisted", "", ""),
        ("pyproject.toml", 'dev = ["pytest-asyncio", "pytest-mock"]', "", ""),
        ("pyproject.toml", 'dev = ["pytest-async-sqlalchemy", "pytest-sanic-tools"]', "", ""),
        ("notes.txt", "pytest-tornasync", "", ""),
        ("Makefile", "\tpytest --asyncio-mode=auto", "", "Makefile"),
        ("tox.ini", "commands = pytest --asyncio-mode auto", "", "tox.ini"),
        ("noxfile.py", 'session.run("pytest", "--anyio-mode", "auto")', "", "noxfile.py"),
        ("justfile", "pytest -o asyncio_mode=auto", "", "justfile"),
        ("Makefile", "\tpytest --asyncio-mode=strict", "", ""),
        ("scripts/test.sh", "pytest --asyncio-mode=auto", "", "scripts/test.sh"),
        ("scripts/notes.txt", "pytest --asyncio-mode=auto", "", ""),
        (".github/workflows/ci.yml", "run: pytest --asyncio-mode=auto", "", ".github/workflows/ci.yml"),
        ("pyproject.toml", 'dev = ["aiomisc-pytest>=2.0.0,<3"]', "aiomisc-pytest in pyproject.toml", ""),
        ("setup.py", "tests_require=['pytest-tornado5']", "pytest-tornado5 in setup.py", ""),
        (".gitlab-ci.yml", "- pip install pytest-aiohttp", "pytest-aiohttp in .gitlab-ci.yml", ""),
        ("pyproject.toml", 'dev = ["pytest-aiohttp", "tox>=1"]', "pytest-aiohttp in pyproject.toml", ""),
        ("requirements-dev.txt", "pytest-aiohttp==0.3.0", "pytest-aiohttp in requirements-dev.txt", ""),
        ("requirements-dev.txt", "pytest-aiohttp\n1-of-us", "pytest-aiohttp in requirements-dev.txt", ""),
        ("requirements-dev.txt", "pytest-aiohttp == 1.1.0", "", ""),
        ("pyproject.toml", 'dev = ["pytest-aiohttp>=1.0.5"]', "", ""),
        ("pyproject.toml", 'pytest-aiohttp = "^1.0.4"', "", ""),
    ],
)
def test_signs_of_what_is_not_known_here(tmp_path: Path, name: str, text: str, plugin: str, mode: str) -> None:
    write(tmp_path, {name: text})
    signs = signs_of(Files(), str(tmp_path))
    assert (signs.running_plugin, signs.mode_on_command_line) == (plugin, mode)


def test_that_the_first_sign_of_each_kind_is_told(tmp_path: Path) -> None:
    both = "pytest-trio pytest-tornasync pytest --asyncio-mode=auto"
    write(tmp_path, {"setup.py": both, "tox.ini": both})
    (tmp_path / "pyproject.toml").mkdir()
    signs = signs_of(Files(), str(tmp_path))
    assert (signs.running_plugin, signs.mode_on_command_line) == ("pytest-tornasync in setup.py", "setup.py")


def test_that_signs_are_looked_for_at_the_root_of_the_repository_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            "Makefile": "pytest --asyncio-mode=auto",
            "shop/pytest.ini": "[pytest]",
            "shop/setup.py": "pytest-trio pytest-tornasync",
        },
    )
    signs = Project(Options()).signs_for(str(tmp_path / "shop"))
    assert (signs.running_plugin, signs.mode_on_command_line) == ("pytest-tornasync in setup.py", "Makefile")


# -- the files of a project -------------------------------------------------------------------------------------------


def test_that_what_the_linter_was_given_is_the_truth(tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": "x = 1\n"})
    project = Project(Options())
    given = project.module_for(str(tmp_path / "test_it.py"), ast.parse("y = 2\n"), "y = 2\n")
    assert project.module_at(given.path) is given
    assert project.read_module(given.path) is given
    assert "test_it.py" in repr(given)


def test_that_a_file_has_one_path_however_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"real/test_it.py": ""})
    (tmp_path / "link").symlink_to("real")
    project = Project(Options())
    wanted = str((tmp_path / "real" / "test_it.py").resolve())
    assert module_of(project, tmp_path / "link" / "test_it.py").path == wanted
    monkeypatch.chdir(tmp_path / "real")
    assert module_of(Project(Options()), Path("test_it.py")).path == wanted


def test_that_a_link_below_a_folder_that_is_known_is_followed(tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": "", "real/test_it.py": "", "real/below/test_it.py": ""})
    (tmp_path / "link").symlink_to("real")
    folder = tmp_path.resolve()
    project = Project(Options())
    for given, wanted in {
        "test_it.py": "test_it.py",
        "link/test_it.py": "real/test_it.py",
        "link/below/test_it.py": "real/below/test_it.py",
        "link/below/../test_it.py": "real/test_it.py",
        "real/below/test_it.py": "real/below/test_it.py",
    }.items():
        assert module_of(project, folder / given).path == str(folder / wanted)


def test_that_another_file_is_parsed_once_or_not_kept(tmp_path: Path) -> None:
    write(tmp_path, {"one.py": "x = 1\n", "two.py": "x = 1\n", "broken.py": "def it(:\n", "zero.py": "x = '\0'\n"})
    project = Project(Options())
    one = project.module_at(str(tmp_path / "one.py"))
    assert one is not None
    assert project.module_at(str(tmp_path / "one.py")) is one
    assert project.read_module(str(tmp_path / "one.py")) is one
    two = project.read_module(str(tmp_path / "two.py"))
    assert two is not None
    assert project.read_module(str(tmp_path / "two.py")) is not two
    for name in ("broken.py", "zero.py", "nowhere.py"):
        assert project.module_at(str(tmp_path / name)) is None


# -- the mode ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "mode", "decided_by"),
    [
        ({}, Mode.STRICT, "the default, no pytest configuration was found"),
        ({"pytest.ini": "[pytest]\n"}, Mode.STRICT, "the default, pytest.ini does not set it"),
        ({"pytest.ini": "[pytest]\nasyncio_mode = auto\n"}, Mode.AUTO, "pytest.ini:2"),
        ({"pytest.ini": "[pytest]\nasyncio_mode = strict\n"}, Mode.STRICT, "pytest.ini:2"),
        (
            {"pytest.ini": "[pytest]\nasyncio_mode = Auto\n"},
            Mode.UNKNOWN,
            "pytest.ini:2 sets asyncio_mode to something",
        ),
        ({"pytest.ini": "asyncio_mode = auto\n"}, Mode.UNKNOWN, "pytest's configuration cannot be read"),
    ],
)
def test_the_mode_and_what_decided_it(tmp_path: Path, files: dict[str, str], mode: Mode, decided_by: str) -> None:
    module = module_in(tmp_path, {**files, "sub/test_it.py": ""}, "sub/test_it.py")
    found = module.project.asyncio_mode(module.directory)
    assert found.mode is mode
    assert decided_by in found.decided_by
    assert found.is_auto is (mode is Mode.AUTO)
    assert found.is_strict is (mode is Mode.STRICT)
    assert module.project.asyncio_mode(module.directory) is found


def test_that_the_option_decides_over_all_else(tmp_path: Path) -> None:
    write(tmp_path, {"pytest.ini": "[pytest]\nasyncio_mode = auto\n"})
    found = Project(Options(asyncio_mode="strict")).asyncio_mode(str(tmp_path))
    assert found.is_strict
    assert "option" in found.decided_by


# -- the root ---------------------------------------------------------------------------------------------------------


def test_the_folder_above_which_nothing_belongs_to_the_project(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "configured/pytest.ini": "[pytest]\n",
            "configured/sub/test_it.py": "",
            "installed/setup.py": "",
            "installed/sub/test_it.py": "",
            "conftests/one/conftest.py": "",
            "conftests/one/two/three/conftest.py": "",
            "conftests/one/two/three/test_it.py": "",
            "bare/sub/test_it.py": "",
            "cloned/.git/HEAD": "",
            "cloned/sub/sub/test_it.py": "",
        },
    )
    project = Project(Options())

    def root(folder: str) -> str:
        return os.path.relpath(project.root_of(str(tmp_path.resolve() / folder)), tmp_path.resolve())

    assert root("configured/sub") == "configured"
    assert root("installed/sub") == "installed"
    assert root("conftests/one/two/three") == "conftests/one"
    assert root("bare/sub") == "bare/sub"
    assert root("cloned/sub/sub") == "cloned"


def test_that_a_path_is_shown_from_the_root(tmp_path: Path) -> None:
    write(tmp_path, {"conftest.py": "", "sub/conftest.py": ""})
    project = Project(Options())
    folder = str(tmp_path.resolve() / "sub")
    assert project.shown(folder, f"{folder}/conftest.py") == "sub/conftest.py"


# -- conftests and plugins --------------------------------------------------------------------------------------------


def test_the_chain_of_conftests_with_their_plugins(tmp_path: Path) -> None:
    module = module_in(
        tmp_path,
        {
            "conftest.py": "pytest_plugins = ['plugins.one', 'anyio', 'pytest_asyncio']",
            "plugins/one.py": "pytest_plugins = 'plugins.two'",
            "plugins/two.py": "pytest_plugins = ('plugins.one',)",
            "tests/sub/conftest.py": "",
            "tests/sub/test_it.py": "",
            "other/conftest.py": "",
        },
        "tests/sub/test_it.py",
    )
    chain = module.project.conftests(module.directory)
    assert names_of(chain.modules, tmp_path) == [
        "tests/sub/conftest.py",
        "conftest.py",
        "plugins/one.py",
        "plugins/two.py",
    ]
    assert chain.foreign_plugins == ("anyio", "pytest_asyncio")
    assert chain.complete
    assert module.project.conftests(module.directory) is chain


@pytest.mark.parametrize(
    "files",
    [
        {"conftest.py": "def broken(:\n"},
        {"conftest.py": "pytest_plugins = build()"},
        {"conftest.py": "pytest_plugins = ['plugin']", "plugin.py": "def broken(:\n"},
        {"conftest.py": "pytest_plugins = ['plugin']", "plugin.py": "pytest_plugins = [name]"},
    ],
)
def test_that_a_chain_with_something_unreadable_is_not_complete(tmp_path: Path, files: dict[str, str]) -> None:
    module = module_in(tmp_path, {**files, "test_it.py": ""}, "test_it.py")
    assert not module.project.conftests(module.directory).complete


def test_that_a_conftest_counts_as_the_linter_was_given_it(tmp_path: Path) -> None:
    write(tmp_path, {".git/HEAD": "", "conftest.py": "pytest_plugins = 'on_the_disk'", "sub/test_it.py": ""})
    project = Project(Options())
    folder = str(tmp_path.resolve() / "sub")
    assert project.conftests(folder).foreign_plugins == ("on_the_disk",)
    text = "pytest_plugins = 'in_the_editor'"
    project.module_for(str(tmp_path / "conftest.py"), ast.parse(text), text)
    assert project.conftests(folder).foreign_plugins == ("in_the_editor",)
    # Never written to the disk.
    project.module_for(str(tmp_path / "sub" / "conftest.py"), ast.parse(text), text)
    assert project.conftests(folder).foreign_plugins == ("in_the_editor", "on_the_disk")
    project.module_for(str(tmp_path / "sub" / "test_it.py"), ast.parse(""), "")
    assert project.conftests(folder).foreign_plugins == ("on_the_disk",)


def test_the_plugins_that_a_file_names_itself(tmp_path: Path) -> None:
    module = module_in(
        tmp_path,
        {
            "test_it.py": "pytest_plugins = ['one', 'test_it', 'broken', 'anyio']",
            "one.py": "",
            "broken.py": "def broken(:\n",
        },
        "test_it.py",
    )
    assert names_of(tuple(module.project.local_plugins(module)), tmp_path) == ["one.py"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("pytest_plugins = 'one'", ("one",)),
        ("pytest_plugins = 'one, two,'", ("one", "two")),
        ("pytest_plugins = ['one', 'two']", ("one", "two")),
        ("pytest_plugins = ('one',)", ("one",)),
        ("pytest_plugins = {'one'}", ("one",)),
        ("pytest_plugins: list = ['one']", ("one",)),
        ("pytest_plugins = []", ()),
        ("pytest_plugins = [one]", None),
        ("pytest_plugins = [3]", None),
        ("pytest_plugins = build()", None),
        ("pytest_plugins = ['one']\npytest_plugins = ['two']", None),
        ("pytest_plugins = ['one']\npytest_plugins += ['two']", None),
        ("from somewhere import pytest_plugins", None),
    ],
)
def test_the_plugins_that_a_file_names(text: str, names: tuple[str, ...] | None) -> None:
    module = Module("/nowhere/conftest.py", ast.parse(text), text, Project(Options()))
    assert plugin_names(module) == names


# -- imports of the project -------------------------------------------------------------------------------------------


def test_where_the_imports_of_a_test_file_are_found(tmp_path: Path) -> None:
    module = module_in(
        tmp_path,
        {
            "pytest.ini": "[pytest]\npythonpath = lib\n",
            "lib/on_the_path.py": "",
            "src/installed.py": "",
            "at_the_root.py": "",
            "tests/conftest.py": "",
            "tests/beside_the_conftest.py": "",
            "tests/unit/test_it.py": "",
            "tests/unit/beside.py": "",
        },
        "tests/unit/test_it.py",
    )

    def found(name: str) -> str | None:
        path = module.project.find_import(name, module)
        return None if path is None else os.path.relpath(path, tmp_path.resolve())

    assert found("on_the_path") == "lib/on_the_path.py"
    assert found("installed") == "src/installed.py"
    assert found("at_the_root") == "at_the_root.py"
    assert found("beside_the_conftest") == "tests/beside_the_conftest.py"
    assert found("beside") == "tests/unit/beside.py"
    assert found(".beside") == "tests/unit/beside.py"
    assert found("..beside_the_conftest") == "tests/beside_the_conftest.py"
    assert found("asyncio") is None


def test_that_a_folder_outside_its_root_stands_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"one/pytest.ini": "[pytest]\naddopts = --rootdir=../two\n", "one/conftest.py": "", "one/test_it.py": ""},
    )
    module = module_of(Project(Options()), tmp_path / "one" / "test_it.py")
    assert names_of(module.project.conftests(module.directory).modules, tmp_path) == ["one/conftest.py"]


# -- who runs a test --------------------------------------------------------------------------------------------------

PLAIN = "async def test_it(): ...\n"
METHOD = "async def test_it(self): ...\n"


@pytest.mark.parametrize(
    ("files", "runs", "reason"),
    [
        ({}, Runs.NOBODY, "asyncio_mode is strict (the default"),
        ({"test_example.py": "import pytest\n@pytest.mark.asyncio\n" + PLAIN}, Runs.ASYNCIO, "marked asyncio"),
        ({"test_example.py": "import pytest\n@pytest.mark.anyio\n" + PLAIN}, Runs.ANYIO, "marked anyio"),
        ({"test_example.py": "import pytest\n@pytest.mark.trio\n" + PLAIN}, Runs.TRIO, "marked trio"),
        (
            {"test_example.py": "import pytest\n@pytest.mark.anyio\n@pytest.mark.asyncio\n" + PLAIN},
            Runs.ASYNCIO,
            "marked asyncio",
        ),
        ({"test_example.py": "from marks import pytestmark\n" + PLAIN}, Runs.UNKNOWN, "marks that cannot be read"),
        ({"pytest.ini": "[pytest]\nasyncio_mode = auto\n"}, Runs.ASYNCIO, "auto (pytest.ini:2)"),
        ({"pytest.ini": "[pytest]\nasyncio_mode = wrong\n"}, Runs.UNKNOWN, "pytest.ini:2"),
        ({"pytest.ini": "[pytest]\nanyio_mode = auto\n"}, Runs.ANYIO, "anyio_mode"),
        ({"pytest.ini": "[pytest]\nanyio_mode = strict\n"}, Runs.NOBODY, ""),
        ({"pytest.ini": "[pytest]\ntrio_mode = yes\n"}, Runs.TRIO, "trio_mode"),
        ({"pytest.ini": "[pytest]\ntrio_mode = no\n"}, Runs.NOBODY, ""),
        ({"conftest.py": "def broken(:\n"}, Runs.UNKNOWN, "cannot be read"),
        (
            {"conftest.py": "def pytest_pyfunc_call(pyfuncitem): ...\n"},
            Runs.UNKNOWN,
            "pytest_pyfunc_call in conftest.py",
        ),
        ({"conftest.py": "def pytest_pycollect_makeitem(): ...\n"}, Runs.UNKNOWN, "pytest_pycollect_makeitem"),
        ({"conftest.py": "from hooks import pytest_collection_modifyitems\n"}, Runs.UNKNOWN, "modifyitems"),
        ({"conftest.py": "from hooks import pytest_configure\n"}, Runs.UNKNOWN, "pytest_configure"),
        ({"conftest.py": "def pytest_configure(config):\n    config.x = 3\n"}, Runs.NOBODY, ""),
        (
            {"conftest.py": "def pytest_configure(config):\n    config.option.asyncio_mode = 'auto'\n"},
            Runs.UNKNOWN,
            "pytest_configure",
        ),
        (
            {"conftest.py": "def pytest_load_initial_conftests(args):\n    args += ['--asyncio-mode=auto']\n"},
            Runs.UNKNOWN,
            "pytest_load_initial_conftests",
        ),
        ({"conftest.py": "class Plugin:\n    def pytest_pyfunc_call(self): ...\n"}, Runs.NOBODY, ""),
        ({"conftest.py": "pytest_plugins = ['pytest_homemade']\n"}, Runs.UNKNOWN, "pytest_homemade"),
        ({"conftest.py": "pytest_plugins = ['pytest_asyncio', 'anyio', 'xdist.plugin']\n"}, Runs.NOBODY, ""),
        ({"pytest.ini": "[pytest]\naddopts = -p homemade\n"}, Runs.UNKNOWN, "homemade"),
        ({"test_example.py": "pytest_plugins = ['homemade']\n" + PLAIN}, Runs.UNKNOWN, "homemade"),
        ({"test_example.py": "pytest_plugins = ['local']\n" + PLAIN, "local.py": ""}, Runs.NOBODY, ""),
        ({"test_example.py": "def pytest_pyfunc_call(): ...\n" + PLAIN}, Runs.UNKNOWN, "test_example.py"),
        ({"tox.ini": "[testenv]\ncommands = pytest --asyncio-mode=auto\n"}, Runs.UNKNOWN, "tox.ini gives a mode"),
        ({"setup.py": "'pytest-tornasync'"}, Runs.UNKNOWN, "pytest-tornasync in setup.py"),
        ({"test_example.py": "async def test_it(anyio_backend): ...\n"}, Runs.ANYIO, "anyio_backend"),
        ({"test_example.py": "async def test_it(aiohttp_client): ...\n"}, Runs.UNKNOWN, "aiohttp_client"),
        (
            {
                "test_example.py": "async def test_it(loop): ...\n",
                "conftest.py": "import pytest\n@pytest.fixture\ndef loop(): ...\n",
            },
            Runs.NOBODY,
            "",
        ),
        (
            {
                "test_example.py": "import pytest\n@pytest.mark.parametrize('anyio_backend', ['asyncio'])\n"
                "async def test_it(anyio_backend): ...\n"
            },
            Runs.ANYIO,
            "anyio_backend",
        ),
        (
            {"test_example.py": "import unittest\nclass It(unittest.IsolatedAsyncioTestCase):\n    " + METHOD},
            Runs.UNITTEST,
            "It is an IsolatedAsyncioTestCase",
        ),
        (
            {"test_example.py": "import unittest\nclass It(unittest.TestCase):\n    " + METHOD},
            Runs.NOBODY,
            "It is a plain TestCase",
        ),
        ({"test_example.py": "from base import Base\nclass It(Base):\n    " + METHOD}, Runs.UNKNOWN, "another module"),
    ],
)
def test_who_runs_a_test(tmp_path: Path, files: dict[str, str], runs: Runs, reason: str) -> None:
    module = module_in(tmp_path, {"test_example.py": PLAIN, **files})
    (test,) = module.async_tests
    runner = runner_of(test)
    assert runner.runs is runs
    assert reason in runner.reason
    assert runner.is_unknown is (runs is Runs.UNKNOWN)
    assert runner_of(test) is runner


def test_that_a_mark_of_the_option_runs_a_test() -> None:
    text = "import pytest\n@pytest.mark.homemade\n" + PLAIN
    module = Module("/nowhere/test_it.py", ast.parse(text), text, Project(Options(marks=("other", "homemade"))))
    (test,) = module.async_tests
    assert runner_of(test).runs is Runs.OPTION


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("class TestOne(Mixin): ...\nclass TestTwo(Mixin): ...\n", Runs.NOBODY),
        ("class TestOne(Mixin): ...\n@pytest.mark.asyncio\nclass TestTwo(Mixin): ...\n", Runs.ASYNCIO),
        ("@pytest.mark.asyncio\nclass TestOne(Mixin): ...\nclass TestTwo(Mixin, Unknown): ...\n", Runs.UNKNOWN),
    ],
)
def test_who_runs_a_test_of_a_mixin(text: str, runs: Runs) -> None:
    text = f"import pytest\nfrom base import Unknown\nclass Mixin:\n    {METHOD}{text}"
    (test,) = Module("/nowhere/test_it.py", ast.parse(text), text, Project(Options())).async_tests
    assert runner_of(test).runs is runs


def test_that_its_own_class_decides_where_that_is_collected() -> None:
    text = f"import pytest\nclass TestOwn:\n    {METHOD}@pytest.mark.asyncio\nclass TestHeir(TestOwn): ...\n"
    (test,) = Module("/nowhere/test_it.py", ast.parse(text), text, Project(Options())).async_tests
    assert runner_of(test).runs is Runs.NOBODY
    assert runner_of(test).reason == nobody_because(test.module)


def test_which_plugins_have_nothing_to_do_with_it() -> None:
    assert is_harmless_plugin("pytest_asyncio.plugin")
    assert is_harmless_plugin("xdist")
    assert not is_harmless_plugin("aiohttp.pytest_plugin")
