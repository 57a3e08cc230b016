"""What the text of a file says of a name is what the whole file says, parsed; in doubt it says nothing."""

from __future__ import annotations

import asyncio
import unittest
from pathlib import Path

import pytest

import flake8_async_tests
from flake8_async_tests.options import Options
from flake8_async_tests.project.excerpts import Excerpts, How
from flake8_async_tests.project.outline import Defined, Entry, Imported, OutlinedClass, _Unsure, outline_of
from flake8_async_tests.project.project import Project
from flake8_async_tests.project.texts import imported_in
from flake8_async_tests.source.coroutines import Other
from flake8_async_tests.source.names import canonical

TEXTS = {
    "a function": ("async def f(): ...\n", How.DEFINED),
    "a decorated function": ("import functools\n@functools.wraps(g)\nasync def f(): ...\n", How.DEFINED),
    "decorators over several lines": ("import a\n@a.b(\n    1,\n)\n@a.c\nasync def f(): ...\n", How.DEFINED),
    "a decorator of the file": ("@keep\nasync def f(): ...\n", None),
    "a class": ("class f(Base):\n    async def g(self): ...\n", How.DEFINED),
    "a class with a text that looks like statements": (
        'class f:\n    def g(self):\n        return """\nx = 1\n"""\n    async def h(self): ...\n',
        None,
    ),
    "properties": (
        "class f:\n    @property\n    def g(self): ...\n    @g.setter\n    def g(self, v): ...\n",
        How.DEFINED,
    ),
    "an import": ("from a import f\n", How.IMPORTED),
    "an import among others": ("from a import (\n    e,\n    f,  # the one\n    g,\n)\n", How.IMPORTED),
    "an import as": ("from a import b as f\n", How.IMPORTED),
    "a module": ("import f\n", How.IMPORTED),
    "another name": ("from a import g\nf = g\n", How.RENAMED),
    "an attribute": ("import a\nf = a.b.c  # of a\n", How.RENAMED),
    "a value": ("f = make()\n", How.OTHER),
    "a constant": ("f = None\n", How.OTHER),
    "a value in brackets": ("f = (\n    g\n)\n", None),
    "an annotated value": ("f: int = 3\n", None),
    "one of several names of a value": ("e = f = g\n", None),
    "nothing": ("def g():\n    return f()\n", How.NOT),
    "part of another word": ("def prefixed_f(): ...\ndef fg(): ...\n", How.NOT),
    "an attribute of that name": ("a.f = 1\n", How.NOT),
    "a name of functions": ("def g(f=1):\n    f = 2\n    for f in a: ...\n    with b as f: ...\n", How.NOT),
    "a method": ("class C:\n    def f(self): ...\n", How.NOT),
    "an argument": ("g(f=1)\nh(a, f)\n", How.NOT),
    "under a condition": ("if a:\n    def f(): ...\n", None),
    "before any statement at the top": ("  def f(): ...\n", None),
    "assigned under a condition": ("if a:\n    f = 1\n", None),
    "imported under a condition": ("try:\n    from a import f\nexcept ImportError:\n    f = None\n", None),
    "imported in brackets under a condition": ("try:\n    from a import (\n        f,\n    )\nfinally: ...\n", None),
    "defined twice": ("def f(): ...\ndef f(): ...\n", None),
    "imported and defined": ("from a import f\ndef f(): ...\n", None),
    "of what is imported as something else": ("from a import f as g\n", None),
    "unpacked": ("e, f = a\n", None),
    "unpacked in brackets": ("(e, f) = a\n", None),
    "in a loop": ("for f in a: ...\n", None),
    "in a loop over pairs": ("for e, f in a: ...\n", None),
    "entered": ("with a as f: ...\n", None),
    "deleted": ("def f(): ...\ndel f\n", None),
    "in passing": ("print(f := 1)\n", None),
    "below a text that speaks of imports": ('"""This comes\nfrom here and there.\n"""\ndef f(): ...\n', How.DEFINED),
    "far along a line": (f"a = '{'a' * 2000}'; f = 1\n", None),
    "with a very long line": (f"def f():\n    return '{'a' * 2000}'\n", None),
}


@pytest.mark.parametrize(("text", "how"), TEXTS.values(), ids=TEXTS)
def test_what_a_text_says_of_a_name(text: str, how: How | None) -> None:
    content = text.encode()
    found = Excerpts(content, imported_in(content)).of("f")
    assert (found.how if found is not None else None) is how


def test_what_is_changed_from_elsewhere_in_a_file() -> None:
    content = b"def f():\n    global g, h\n    self.a = 1\n    b.c: int = 2\n    d.e == 3\n"
    assert sorted(Excerpts(content, {}).changed or ()) == ["a", "g", "h"]
    assert Excerpts(b"setattr(a, name, 1)\n", {}).changed is None


def test_that_no_more_is_given_than_the_file_is_long() -> None:
    content = b"".join(b"class C%d(Base): ...\n" % number for number in range(40)) + b"class Base: ...\n"
    excerpts = Excerpts(content, {})
    given = [excerpts.of(f"C{number}") is not None for number in range(40)]
    assert given == sorted(given, reverse=True)
    assert 10 < sum(given) < 30


def test_that_bodies_are_left_out_unless_they_tell_something() -> None:
    content = b"""class f(Base, metaclass=Meta):
    \"\"\"A class.\"\"\"

    def long(
        self,
        a: int = 1,
    ) -> None:
        if a:
            raise ValueError(a)

    async def numbers(self):
        yield 1

    def __enter__(self):
        return self
    async def abstract(self):
        raise NotImplementedError

    def short(self): return 1
    x = 1
class Base: ...
"""
    found = Excerpts(content, {}).of("f")
    assert found is not None
    text = found.text.decode()
    assert "ValueError" not in text
    for part in ("yield 1", "return self", "NotImplementedError", "return 1", "x = 1", "class Base: ...\n"):
        assert part in text
    compile(text, "an excerpt", "exec")


@pytest.mark.parametrize(
    ("content", "is_told"),
    [
        ("# Größe\nasync def f(): ...\n".encode(), True),
        ("# Größe\nasync def f(): ...\n".encode("latin-1"), False),
        ("# coding: utf-8\n# Größe\nasync def f(): ...\n".encode(), False),
    ],
)
def test_that_texts_are_read_as_utf_8_only(content: bytes, is_told: bool, tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_bytes(content)
    found = Project(Options()).outlines._entry_by_text(str(path), "f")  # noqa: SLF001  # whether by text at all
    assert isinstance(found, _Unsure) is not is_told


FOLDERS = (flake8_async_tests.__path__[0], asyncio.__path__[0], unittest.__path__[0])
FILES = [path for folder in FOLDERS for path in sorted(Path(folder).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_that_a_part_says_what_the_whole_says(path: Path) -> None:
    project = Project(Options())
    whole = project.read_module(str(path))
    assert whole is not None
    expected = outline_of(whole, project.outlines).names
    for name in expected:
        project.outlines._excerpts.clear()  # noqa: SLF001  # else after some of them the whole file would be asked
        found = project.outlines._entry_by_text(str(path), name)  # noqa: SLF001  # held against the whole
        # What it takes for changed may be changed in another file's class of that name.
        if not isinstance(found, _Unsure) and found is not Other.SOMETHING:
            assert _shown(found) == _shown(expected[name]), name


def _shown(entry: Entry | None) -> object:
    if isinstance(entry, OutlinedClass):
        members = {name: entry.own(name) for name in entry._members}  # noqa: SLF001  # all of them
        return entry.is_plain, members, entry._bases  # noqa: SLF001  # as above
    if isinstance(entry, Imported):
        return canonical(entry.name)
    return entry.name if isinstance(entry, Defined) else entry
