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
from flake8_async_tests.source.names import canonical
from tests.linting import lint_project

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
    "in a text": ('x = """\ndef f(): ...\n"""\n', None),
    "beside a text": ('"""\nf = 1\n"""\ndef f(): ...\n', None),
    "in a comment": ("# f = 1\ndef f(): ...\n", How.DEFINED),
    "after a semicolon": ("a = 1; f = 2\n", None),
    "annotated after a semicolon": ("a: int = 1; f: int = 2\n", None),
    "imported after a semicolon": ("import a; import f\n", None),
    "assigned behind a condition": ("if a == b: f = 1\n", None),
    "imported behind a condition": ("if a: import f\n", None),
    "added to": ("f = 1\nf += 1\n", None),
    "annotated in brackets": ("(f): int = 1\n", None),
    "unpacked over several lines": ("(f,\n g) = a\n", None),
    "unpacked over several lines, at last": ("(e,\n f) = a\n", None),
    "entered in brackets": ("with a as (e, f): ...\n", None),
    "deleted in brackets": ("def f(): ...\ndel (e, f)\n", None),
    "in a pattern": ("match a:\n    case [f, *_]: ...\n", None),
    "going on in the next line": ("f \\\n    = 1\n", None),
    "going on from the line before": ("e, \\\nf = a\n", None),
    "imported in the next line": ("from a import e, \\\n    f\n", How.IMPORTED),
    "between letters of other alphabets": ("äfä = 1\näf = 1\nfä = 1\n", How.NOT),
    "a type": ("type f = int\n", None),
    "a class with a base of its own name": ("import a\nclass f(a.f): ...\n", How.DEFINED),
    "a class that seems its own base": ("class f(f): ...\n", How.DEFINED),
    "a class with a base that is assigned": ("import a\nB = a.B\nclass f(B): ...\n", None),
    "a class with a base that is a function": ("def B(): ...\nclass f(B): ...\n", None),
    "a class with a base under a condition": ("try:\n    from a import B\nfinally: ...\nclass f(B): ...\n", None),
    "a class with parameters of types": ("class f[T: int](Base): ...\n", None),
    "a class without its end": ("class f(Base\n", None),
    "decorated over lines that look like statements": ("@a(\n'''\nb\n''',\n)\ndef f(): ...\n", None),
    "decorated by what a condition decides": ("if a:\n    from b import c\n@c\ndef f(): ...\n", None),
    "decorated by a property that is none": ("property = a\nclass f:\n    @property\n    def g(self): ...\n", None),
    "below stars under a condition": ("if a:\n    from b import *\ndef f(): ...\n", None),
    "far along a line": (f"a = '{'a' * 2000}'; f = 1\n", None),
    "with a very long line": (f"def f():\n    return '{'a' * 2000}'\n", None),
}


@pytest.mark.parametrize(("text", "how"), TEXTS.values(), ids=TEXTS)
def test_what_a_text_says_of_a_name(text: str, how: How | None) -> None:
    content = text.encode()
    found = Excerpts(content, imported_in(content)).of("f")
    assert (found.how if found is not None else None) is how


def test_what_is_changed_from_elsewhere_in_a_file() -> None:
    content = """\
def f():
    global g, h
    if a: global i; i = 1
    global j, \\
        k
    self.a = 1
    b.c: int = 2
    d.e == 3
    (l.m) = 4
    n.größe \\
        = 5
    setattr(o, name, 6)
    monkeypatch.setattr(p, name, 7)
""".encode()
    assert sorted(Excerpts(content, {}).changed or ()) == ["a", "g", "größe", "h", "i", "j", "k", "m"]


@pytest.mark.parametrize("text", ["setattr(a, name, 1)\n", "if a:\n    setattr(b, name, 1)\n", "put = setattr\n"])
def test_that_nobody_knows_what_is_set_at_the_top_of_a_file(text: str) -> None:
    assert Excerpts(text.encode(), {}).changed is None


def test_that_no_more_is_given_than_the_file_is_long() -> None:
    content = b"".join(b"class C%d(Base): ...\n" % number for number in range(40)) + b"class Base: ...\n"
    excerpts = Excerpts(content, {})
    found = [excerpts.of(f"C{number}") for number in range(40)]
    assert {each and each.how for each in found} == {How.DEFINED}
    given = [each is not None and bool(each.text) for each in found]
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
        ("\ufeffasync def f(): ...\n".encode(), False),
        (b"import a\r\nasync def f(): ...\r\n", True),
        (b"import a\rasync def f(): ...\r", False),
        (b"\f\nasync def f(): ...\n", True),
        (b"\fasync def f(): ...\n", False),
    ],
)
def test_which_texts_are_trusted(content: bytes, is_told: bool, tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_bytes(content)
    found = Project(Options()).outlines._entry_by_text(str(path), "f")  # noqa: SLF001  # whether by text at all
    assert isinstance(found, _Unsure) is not is_told


def test_that_what_is_set_at_the_top_of_another_file_may_be_anything(tmp_path: Path) -> None:
    found = lint_project(
        {
            "shop.py": "class Client:\n    async def get(self): ...\n    async def put(self): ...\n"
            "setattr(Client, 'get', print)\nsetattr(Client, name, print)\n"
            "async def fetch(): ...\ndef change():\n    global fetch\n    fetch = print\n",
            "test_shop.py": "from shop import Client, fetch\n\n\n"
            "def test_it():\n    Client().get()\n    Client().put()\n    fetch()\n",
        },
        tmp_path,
    )
    assert [(finding.code, finding.line) for finding in found["test_shop.py"]] == [("AT301", 6)]


FOLDERS = (flake8_async_tests.__path__[0], asyncio.__path__[0], unittest.__path__[0])
FILES = [path for folder in FOLDERS for path in sorted(Path(folder).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_that_a_part_says_what_the_whole_says(path: Path) -> None:
    hold_against_the_whole(path)


def hold_against_the_whole(path: Path) -> int:
    """How many names the text is sure of: then it says what the whole file says."""
    project = Project(Options())
    outlines = project.outlines
    whole = project.read_module(str(path))
    assert whole is not None
    excerpts = outlines._excerpts_of(str(path))  # noqa: SLF001  # what is held against the whole
    expected = outline_of(whole, outlines, excerpts).names
    sure = 0
    for name in expected:
        outlines._excerpts.clear()  # noqa: SLF001  # else after some of them the whole file would be asked
        found = outlines._entry_by_text(str(path), name)  # noqa: SLF001  # as above
        if not isinstance(found, _Unsure):
            sure += 1
            assert _shown(found) == _shown(expected[name]), name
    return sure


def _shown(entry: Entry | None) -> object:
    if isinstance(entry, OutlinedClass):
        members = {name: entry.own(name) for name in entry._members}  # noqa: SLF001  # all of them
        return entry.is_plain, members, entry._bases  # noqa: SLF001  # as above
    if isinstance(entry, Imported):
        return canonical(entry.name)
    return entry.name if isinstance(entry, Defined) else entry
