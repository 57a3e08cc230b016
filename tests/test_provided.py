"""What one module or class puts in sight, where real pytest has nothing to compare with: what cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.options import Options
from flake8_async_tests.project.project import Project
from tests.proofs import write_project

if TYPE_CHECKING:
    from pathlib import Path

    from flake8_async_tests.source.module import Module


def module_of(directory: Path, files: dict[str, str], name: str = "test_example.py") -> Module:
    write_project(files, directory)
    module = Project(Options()).module_at(str(directory.resolve() / name))
    assert module is not None
    return module


FIXTURE = "import pytest\n\n\n@pytest.fixture\ndef db(): ...\n"


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\n\nif pytest.x:\n    @pytest.fixture\n    def db(): ...\nelse:\n    def db(): ...\n",
        "try:\n    from fixtures import db\nexcept ImportError:\n    from elsewhere import db\n",
        FIXTURE + "\n\nif pytest.x:\n    db = None\n",
    ],
    ids=["two definitions", "two imports", "rebound under a condition"],
)
def test_what_depends_on_a_condition_is_in_sight_and_unknown(text: str, tmp_path: Path) -> None:
    graph = module_of(tmp_path, {"test_example.py": text, "fixtures.py": FIXTURE}).fixture_graph
    assert graph.is_in_sight("db")
    assert graph.find("db") is None


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\n\nif pytest.x:\n    db = 1\nelse:\n    db = 2\n",
        "import db\n",
        "class db: ...\n",
        "def db(): ...\n",
        "db = 1\n",
        "db = other = db\n",
        "db = other\nother = db\n",
        "from test_example import db\n",
        "from fixtures import nothing as db\n",
        "db = make()()\n",
        "def outer():\n    import pytest\n\n    @pytest.fixture\n    def db(): ...\n",
    ],
)
def test_what_is_no_fixture_is_not_in_sight(text: str, tmp_path: Path) -> None:
    graph = module_of(tmp_path, {"test_example.py": text, "fixtures.py": FIXTURE}).fixture_graph
    assert not graph.is_in_sight("db")


def test_something_imported_from_outside_may_be_a_fixture(tmp_path: Path) -> None:
    graph = module_of(tmp_path, {"test_example.py": "from elsewhere import db\n"}).fixture_graph
    assert not graph.is_in_sight("db")
    assert graph.may_be_in_sight("db")
    assert not graph.may_be_in_sight("other")
    assert graph.find("db") is None


def test_under_another_name_it_may_be_one_as_well(tmp_path: Path) -> None:
    graph = module_of(tmp_path, {"test_example.py": "from elsewhere import db\n\nother = db\n"}).fixture_graph
    assert graph.may_be_in_sight("other")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import pytest\n\ndb = pytest.fixture(print)\n", "db"),
        ("import pytest_asyncio\n\ndb = pytest_asyncio.fixture(scope='module')(print)\n", "db"),
        ("import pytest\n\ndb = pytest.fixture(print)\nother = db\n", "other"),
    ],
)
def test_a_fixture_that_is_made_by_a_call_cannot_be_read(text: str, name: str, tmp_path: Path) -> None:
    graph = module_of(tmp_path, {"test_example.py": text}).fixture_graph
    assert graph.is_in_sight(name)
    assert graph.find(name) is None
    assert graph.closure(None, (name,)).fixtures == ()


def test_a_given_name_stays_under_another_attribute(tmp_path: Path) -> None:
    text = "import pytest\n\ndb = pytest.fixture(name='given')(print)\nother = db\n"
    graph = module_of(tmp_path, {"test_example.py": text}).fixture_graph
    assert not graph.is_in_sight("db")
    assert not graph.is_in_sight("other")


def test_all_that_a_class_sees(tmp_path: Path) -> None:
    text = FIXTURE + "\n\nclass TestIt:\n    @pytest.fixture(name='own')\n    def made(self): ...\n"
    module = module_of(tmp_path, {"test_example.py": text})
    assert [entry.name for entry in module.fixture_graph.all_in_sight()] == ["db"]
    assert [entry.name for entry in module.fixture_graph.all_in_sight(module.classes[0])] == ["db", "own"]


def test_a_fixture_of_an_imported_module_by_attribute(tmp_path: Path) -> None:
    text = "import fixtures\nimport elsewhere\n\none = fixtures.db\ntwo = elsewhere.db\nthree = one.db\n"
    graph = module_of(tmp_path, {"test_example.py": text, "fixtures.py": FIXTURE}).fixture_graph
    assert graph.find("one") is not None
    assert not graph.is_in_sight("two")
    assert not graph.is_in_sight("three")


def test_a_star_import_that_cannot_be_read_leaves_it_open(tmp_path: Path) -> None:
    graph = module_of(tmp_path, {"test_example.py": "from elsewhere import *\n"}).fixture_graph
    assert not graph.is_complete(None)
    assert graph.may_be_in_sight("db")
    assert graph.find("db") is None


def test_modules_that_import_everything_from_each_other(tmp_path: Path) -> None:
    files = {
        "test_example.py": "from one import *\n",
        "one.py": "from two import *\n",
        "two.py": f"from one import *\n\n{FIXTURE}",
    }
    graph = module_of(tmp_path, files).fixture_graph
    assert graph.is_complete(None)
    assert graph.find("db") is not None
    assert [entry.name for entry in graph.all_in_sight()] == ["db"]


def test_modules_that_import_one_name_from_each_other(tmp_path: Path) -> None:
    files = {
        "test_example.py": "from one import db\n",
        "one.py": "from two import db\n",
        "two.py": "from one import db\n",
    }
    assert not module_of(tmp_path, files).fixture_graph.is_in_sight("db")


def test_a_name_is_not_followed_for_ever(tmp_path: Path) -> None:
    files = {f"step_{number}.py": f"from step_{number + 1} import db\n" for number in range(20)}
    graph = module_of(
        tmp_path, {**files, "step_20.py": FIXTURE, "test_example.py": "from step_0 import db\n"}
    ).fixture_graph
    assert not graph.is_in_sight("db")


def test_star_imports_are_not_followed_for_ever(tmp_path: Path) -> None:
    files = {f"step_{number}.py": f"from step_{number + 1} import *\n" for number in range(1500)}
    graph = module_of(
        tmp_path, {**files, "step_1500.py": FIXTURE, "test_example.py": "from step_0 import *\n"}
    ).fixture_graph
    assert not graph.is_complete(None)
    assert not graph.is_in_sight("db")


def test_the_other_star_imports_count_beside_one_that_cannot_be_read(tmp_path: Path) -> None:
    files = {"test_example.py": "from fixtures import *\nfrom elsewhere import *\n", "fixtures.py": FIXTURE}
    graph = module_of(tmp_path, files).fixture_graph
    assert not graph.is_complete(None)
    assert graph.find("db") is not None


@pytest.mark.parametrize(
    ("listed", "seen"),
    [
        ("__all__ = ['db']\n", True),
        ("__all__ = ['other', *names]\n", False),
        ("__all__ = make()\n", True),
        ("__all__ = []\n__all__ += ['db']\n", True),
    ],
)
def test_what_a_star_import_gets(listed: str, seen: bool, tmp_path: Path) -> None:
    files = {"test_example.py": "from fixtures import *\n", "fixtures.py": FIXTURE + "\n\n" + listed}
    assert module_of(tmp_path, files).fixture_graph.is_in_sight("db") is seen


def test_an_imported_module_that_cannot_be_read_has_no_autouse_fixture(tmp_path: Path) -> None:
    files = {"test_example.py": "from package import db\n", "package/__init__.py": "autouse fixture (\n"}
    graph = module_of(tmp_path, files).fixture_graph
    assert graph.autouse(None) == []


def test_what_the_fixture_itself_overrides_comes_after_it(tmp_path: Path) -> None:
    files = {"conftest.py": FIXTURE, "test_example.py": FIXTURE.replace("db()", "db(db)")}
    graph = module_of(tmp_path, files).fixture_graph
    own = graph.find("db")
    assert own is not None
    overridden = graph.find("db", beyond=own)
    assert overridden is not None
    assert overridden.module.is_conftest
    assert graph.find("db", beyond=overridden) is None
    assert graph.closure_of_fixture(own).fixtures == (own, overridden)
    assert graph.closure_of_fixture(overridden).fixtures == (overridden,)


def test_a_fixture_out_of_sight_has_a_closure_too(tmp_path: Path) -> None:
    files = {
        "fixtures.py": f"{FIXTURE}\n\n@pytest.fixture\ndef client(db): ...\n",
        "test_example.py": FIXTURE,
    }
    module = module_of(tmp_path, files)
    source = module.project.module_at(str(tmp_path.resolve() / "fixtures.py"))
    assert source is not None
    client = source.fixtures[1]
    own = module.fixture_graph.find("db")
    assert module.fixture_graph.closure_of_fixture(client).fixtures == (client, own)


def test_a_plugin_of_addopts_that_is_not_the_projects(tmp_path: Path) -> None:
    files = {"pytest.ini": "[pytest]\naddopts = -p somewhere.plugin\n", "test_example.py": FIXTURE}
    graph = module_of(tmp_path, files).fixture_graph
    assert graph.find("db") is not None
    assert graph.find("other") is None


def test_fixtures_that_ask_for_each_other(tmp_path: Path) -> None:
    text = "import pytest\n\n\n@pytest.fixture\ndef a(b): ...\n\n\n@pytest.fixture\ndef b(a): ...\n"
    graph = module_of(tmp_path, {"test_example.py": text}).fixture_graph
    assert graph.closure(None, ("a",)).names == {"a", "b"}
