"""Small projects with fixtures in every place where pytest looks for them: written ones, and generated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

INI = {"pytest.ini": "[pytest]\n"}

WRITTEN: dict[str, dict[str, str]] = {
    "overriding_from_conftest_to_class": {
        "conftest.py": """
import pytest

@pytest.fixture
def db(): return ["root"]

@pytest.fixture
def client(db): return db
""",
        "sub/conftest.py": """
import pytest

@pytest.fixture
def db(db): return [*db, "sub"]
""",
        "sub/test_sub.py": """
import pytest

@pytest.fixture
def db(db): return [*db, "module"]

def test_module(client): ...

class TestClass:
    @pytest.fixture
    def db(self, db): return [*db, "class"]

    def test_class(self, client): ...

    class TestInner:
        @pytest.fixture
        def db(self, db): return [*db, "inner"]

        def test_inner(self, client): ...
""",
        "test_root.py": "def test_root(client): ...\n",
    },
    "a_fixture_behind_the_one_that_it_overrides": {
        "conftest.py": """
import pytest

@pytest.fixture
def other(): ...

@pytest.fixture
def db(other): ...

@pytest.fixture
def pool(db): ...
""",
        "test_one.py": """
import pytest

@pytest.fixture
def db(pool): ...

def test_through_another(db): ...

class TestClass:
    @pytest.fixture
    def pool(self, pool): ...

    def test_both(self, db): ...
""",
    },
    "given_names": {
        "conftest.py": """
import pytest

@pytest.fixture(name="db")
def make_db(): ...

@pytest.fixture(name="")
def unnamed(): ...
""",
        "test_names.py": """
import pytest

@pytest.fixture(name="twice")
def zz_later_in_the_alphabet(): ...

@pytest.fixture(name="twice")
def a_first(): ...

@pytest.fixture(name="swapped")
def plain(): ...

@pytest.fixture(name="plain")
def swapped(): ...

@pytest.fixture
def one(plain): ...

def test_names(db, unnamed, twice, swapped, one): ...

class TestClass:
    @pytest.fixture(name="twice")
    def given(self, twice): ...

    def test_class(self, twice): ...
""",
    },
    "autouse_in_each_place": {
        "conftest.py": """
import pytest

@pytest.fixture
def root_data(): ...

@pytest.fixture(autouse=True)
def root_auto(root_data): ...
""",
        "sub/conftest.py": """
import pytest

@pytest.fixture(autouse=True, name="sub_auto")
def _sub(): ...
""",
        "sub/test_sub.py": """
import pytest

@pytest.fixture(autouse=True)
def module_auto(): ...

def test_module(): ...

class TestClass:
    @pytest.fixture(autouse=True)
    def class_auto(self): ...

    def test_class(self): ...

    class TestInner:
        @pytest.fixture(autouse=True)
        def inner_auto(self): ...

        def test_inner(self): ...

class TestSilenced:
    @pytest.fixture
    def module_auto(self): ...

    def test_overridden_autouse(self): ...
""",
        "test_root.py": "def test_root(): ...\n",
    },
    "usefixtures_and_pytestmark": {
        "pytest.ini": "[pytest]\nusefixtures = from_ini\n",
        "conftest.py": """
import pytest

@pytest.fixture
def from_ini(behind): ...

@pytest.fixture
def behind(): ...

@pytest.fixture
def by_module(): ...

@pytest.fixture
def by_class(): ...

@pytest.fixture
def by_base(): ...

@pytest.fixture
def by_function(behind): ...
""",
        "test_marks.py": """
import pytest

pytestmark = [pytest.mark.usefixtures("by_module")]

@pytest.mark.usefixtures("by_base")
class Base: ...

class TestClass(Base):
    pytestmark = pytest.mark.usefixtures("by_class")

    @pytest.mark.usefixtures("by_function", "behind")
    def test_all(self): ...

    class TestInner:
        def test_inner(self): ...

def test_plain(): ...
""",
    },
    "inherited_fixtures": {
        "conftest.py": """
import pytest

@pytest.fixture
def db(): ...

@pytest.fixture
def hidden(): ...
""",
        "test_bases.py": """
import pytest

class Far:
    @pytest.fixture
    def db(self): ...

    @pytest.fixture
    def far(self, db): ...

    @pytest.fixture(autouse=True)
    def auto(self, far): ...

class Near(Far):
    @pytest.fixture
    def db(self, db): ...

    @pytest.fixture
    def hidden(self): ...

class Other:
    @pytest.fixture
    def far(self): ...

class TestChild(Near):
    def test_child(self, db): ...

class TestShadow(Near):
    hidden = None
    auto = None

    def test_shadow(self, hidden, db): ...

class TestTwoBases(Near, Other):
    def test_two(self, far): ...

class TestOtherOrder(Other, Near):
    def test_order(self, far): ...

class Root:
    @pytest.fixture
    def shared(self): ...

class Left(Root): ...

class Right(Root):
    @pytest.fixture
    def shared(self, db): ...

class TestDiamond(Left, Right):
    @pytest.fixture
    def db(self): ...

    def test_diamond(self, shared): ...

class Deep(Root):
    @pytest.fixture
    def level(self): ...

class Middle(Deep): ...

class Beside:
    @pytest.fixture
    def level(self, db): ...

class TestDepthFirst(Middle, Beside):
    def test_depth(self, level): ...
""",
    },
    "imported_fixtures": {
        "conftest.py": """
from helpers.fixtures import db, renamed as other_name, _private, auto
from helpers import reexported, reexported_auto
from helpers.fixtures import db as db_under_another_name
import helpers.fixtures

by_attribute = helpers.fixtures.client
again = db
""",
        "helpers/__init__.py": "from .deep import reexported\nfrom .deep import reexported_auto\n",
        "helpers/deep.py": """
import pytest

@pytest.fixture
def reexported(): ...

@pytest.fixture(autouse=True)
def reexported_auto(): ...
""",
        "helpers/fixtures.py": """
import pytest

@pytest.fixture
def db(): ...

@pytest.fixture(name="given")
def renamed(): ...

@pytest.fixture
def _private(): ...

@pytest.fixture(autouse=True)
def auto(db): ...

@pytest.fixture
def client(db): ...

@pytest.fixture
def not_imported(): ...
""",
        "test_imports.py": """
def test_all(db, given, _private, reexported, by_attribute, again, db_under_another_name): ...
def test_nothing(): ...
""",
    },
    "star_imports": {
        "conftest.py": "from stars.public import *\nfrom stars.listed import *\n",
        "stars/__init__.py": "",
        "stars/public.py": """
import pytest
from .more import *
from .more import chosen as imported_by_name

@pytest.fixture
def db(): ...

@pytest.fixture
def _hidden(): ...

@pytest.fixture(name="shown")
def _hidden_as_well(): ...

@pytest.fixture(autouse=True)
def auto(db): ...
""",
        "stars/more.py": """
import pytest

@pytest.fixture
def more(): ...

@pytest.fixture
def chosen(): ...
""",
        "stars/listed.py": """
import pytest

__all__ = ["_listed", "db"]

@pytest.fixture
def _listed(): ...

@pytest.fixture
def db(): ...

@pytest.fixture(autouse=True)
def unlisted(): ...
""",
        "sub/conftest.py": """
import pytest

@pytest.fixture
def _hidden(): ...

@pytest.fixture
def shown(): ...
""",
        "sub/test_stars.py": "def test_stars(db, more, imported_by_name, _listed, _hidden, shown, chosen): ...\n",
    },
    "local_plugins": {
        "pytest.ini": "[pytest]\naddopts = -p plugins.early\npythonpath = .\n",
        "conftest.py": """
import pytest

pytest_plugins = ["plugins.first", "plugins.second"]

@pytest.fixture
def root_over_plugin(): ...

@pytest.fixture
def own_plugin_over_root(): ...
""",
        "plugins/__init__.py": "",
        "plugins/early.py": """
import pytest

@pytest.fixture
def early(): ...

@pytest.fixture
def first_over_early(): ...
""",
        "plugins/first.py": """
import pytest

pytest_plugins = "plugins.behind"

@pytest.fixture
def first_over_early(): ...

@pytest.fixture
def second_over_first(): ...

@pytest.fixture
def behind_over_first(): ...

@pytest.fixture
def root_over_plugin(): ...
""",
        "plugins/behind.py": """
import pytest

@pytest.fixture
def behind_over_first(): ...

@pytest.fixture(autouse=True)
def behind_auto(early): ...
""",
        "plugins/second.py": """
import pytest

@pytest.fixture
def second_over_first(): ...
""",
        "plugins/own.py": """
import pytest

@pytest.fixture
def own_plugin_over_root(): ...

@pytest.fixture
def sub_over_own_plugin(): ...
""",
        "sub/conftest.py": """
import pytest

@pytest.fixture
def sub_over_own_plugin(): ...
""",
        "sub/test_plugins.py": """
pytest_plugins = ("plugins.own",)

def test_plugins(
    early, first_over_early, second_over_first, behind_over_first,
    root_over_plugin, own_plugin_over_root, sub_over_own_plugin,
): ...
""",
    },
    "parametrize_hides": {
        "conftest.py": """
import pytest

@pytest.fixture
def behind(): ...

@pytest.fixture
def db(behind): ...

@pytest.fixture
def client(db): ...

@pytest.fixture(autouse=True)
def auto(behind): ...
""",
        "test_parametrize.py": """
import pytest

@pytest.mark.parametrize("db", [1])
def test_direct(client, db): ...

@pytest.mark.parametrize("db, extra", [(1, 2)], indirect=["db"])
def test_indirect(db, extra): ...

@pytest.mark.parametrize(("db", "client"), [(1, 2)], indirect=True)
def test_all_indirect(db, client): ...

@pytest.mark.parametrize("db", [1], indirect=[])
def test_none_indirect(db): ...

@pytest.mark.parametrize("auto", [1])
def test_autouse_hidden(auto): ...

@pytest.mark.parametrize("client", [1])
class TestClass:
    def test_class(self, client): ...
""",
    },
    "kinds_of_functions": {
        "test_kinds.py": """
import functools
from unittest import mock

import pytest

@pytest.fixture
def db(): ...

@pytest.fixture
def with_default(db=None): ...

@pytest.fixture
def keyword_only(*, db): ...

@pytest.fixture
def generator(request, db):
    yield

@mock.patch("os.getcwd")
def test_patched(getcwd, generator): ...

@mock.patch("os.getcwd", return_value="")
@mock.patch.object(functools, "wraps", new=None)
def test_patched_twice(getcwd, with_default, *, keyword_only): ...

class TestMethods:
    @staticmethod
    @pytest.fixture
    def outer_static(db): ...

    @pytest.fixture
    @staticmethod
    def inner_static(db): ...

    @staticmethod
    def test_static(outer_static): ...

    def test_method(self, inner_static): ...
""",
    },
    "rebound_names": {
        "conftest.py": """
import sys
import pytest

@pytest.fixture
def rebound(): ...

@pytest.fixture
def twice(): ...

@pytest.fixture
def conditional(): ...
""",
        "test_rebound.py": """
import pytest

@pytest.fixture
def rebound(): ...

rebound = None

@pytest.fixture
def twice(rebound): ...

@pytest.fixture
def twice(): ...

def test_rebound(rebound, twice): ...
""",
    },
    "packages": {
        "pkg/__init__.py": "",
        "pkg/conftest.py": """
import pytest
from .common import shared

@pytest.fixture
def db(shared): ...
""",
        "pkg/common.py": """
import pytest

@pytest.fixture
def shared(): ...
""",
        "pkg/inner/__init__.py": "",
        "pkg/inner/conftest.py": """
import pytest
from ..common import shared as shared_again
from pkg.conftest import db as outer_db
""",
        "pkg/inner/test_inner.py": "def test_inner(db, shared_again, outer_db): ...\n",
    },
}

NAMES = ("a", "b", "c")


def generated(rng: random.Random) -> dict[str, str]:
    """A project in which three names are given to fixtures here and there, each asking for some of the others."""
    files = {
        "conftest.py": _module(rng),
        "sub/conftest.py": _module(rng),
        "sub/deep/conftest.py": _module(rng),
        "sub/deep/test_deep.py": _module(rng) + _tests(rng),
        "sub/test_sub.py": _module(rng) + _tests(rng),
    }
    return {name: f"import pytest\n\n{text}" for name, text in files.items()}


def _module(rng: random.Random) -> str:
    return "".join(_fixture(rng, name, "") for name in NAMES if rng.random() < 0.5)


def _fixture(rng: random.Random, name: str, indent: str) -> str:
    arguments = ["autouse=True"] if rng.random() < 0.2 else []
    function = name
    if rng.random() < 0.25:
        arguments.append(f'name="{name}"')
        function = f"{rng.choice('xyz')}_{name}"
    call = f"({', '.join(arguments)})" if arguments else ""
    parameters = [*(["self"] if indent else []), *_some_names(rng, 0.3)]
    return f"{indent}@pytest.fixture{call}\n{indent}def {function}({', '.join(parameters)}): ...\n\n"


def _some_names(rng: random.Random, share: float) -> list[str]:
    return [name for name in rng.sample(NAMES, len(NAMES)) if rng.random() < share]


def _tests(rng: random.Random) -> str:
    text = _test(rng, "test_plain", "")
    text += _class(rng, "Base", "", [])
    text += _class(rng, "Mixin", "", [])
    bases = rng.choice((["Base"], ["Mixin", "Base"], ["Base", "Mixin"], []))
    text += _class(rng, "TestOuter", "", bases) + _test(rng, "test_outer", "    ")
    text += _class(rng, "TestInner", "    ", rng.choice((["Base"], []))) + _test(rng, "test_inner", "        ")
    return text


def _class(rng: random.Random, name: str, indent: str, bases: list[str]) -> str:
    body = "".join(_fixture(rng, each, f"{indent}    ") for each in NAMES if rng.random() < 0.35)
    mark = f"{indent}@pytest.mark.usefixtures({rng.choice(NAMES)!r})\n" if rng.random() < 0.2 else ""
    return f"{mark}{indent}class {name}({', '.join(bases)}):\n{indent}    kind = 1\n\n{body}"


def _test(rng: random.Random, name: str, indent: str) -> str:
    marks = ""
    parameters = _some_names(rng, 0.5)
    if parameters and rng.random() < 0.25:
        marks += f"{indent}@pytest.mark.parametrize({parameters[0]!r}, [1])\n"
    if rng.random() < 0.2:
        marks += f"{indent}@pytest.mark.usefixtures({rng.choice(NAMES)!r})\n"
    inner = ", ".join([*(["self"] if indent else []), *parameters])
    return f"{marks}{indent}def {name}({inner}): ...\n\n"
