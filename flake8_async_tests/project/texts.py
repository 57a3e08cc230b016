"""What the text of a module says of its coroutine functions, told without parsing it.

It may say too much (a name in a docstring), hardly ever too little: who wants to be sure parses the file, and
thanks to this seldom has to.
"""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from functools import cache
from typing import TYPE_CHECKING

from flake8_async_tests.record import record
from flake8_async_tests.source.known_coroutines import KNOWN_COROUTINE_FUNCTIONS, KNOWN_COROUTINE_METHODS
from flake8_async_tests.source.names import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flake8_async_tests.project.project import Project

# How many re-exports, and how many bases of bases, are followed.
MOST_STEPS = 6

ITSELF = ""
"""Says that a name is a coroutine function, where otherwise methods stand."""

_ASYNC_DEF = re.compile(rb"async[ \t]+def[ \t]+(\w+)")
_DEFINITION = re.compile(rb"\n([ \t]*+)(async[ \t]++def|def|class)[ \t]++(\w+)")
# No second bracket may open within the brackets: else each that is never closed would be read to the end of the file.
_FROM_IMPORT = re.compile(
    rb"from[ \t]+([.\w]+)[ \t]+import[ \t]*(?:\(((?:[^()#]|#[^\n]*)*+)\)|([^\n\\]*(?:\\\r?\n[^\n\\]*)*))"
)
_IMPORT = re.compile(rb"import[ \t]+([^\n#]+)")
_TOP_LINE = re.compile(rb"^[^\s#)\]}]", re.MULTILINE)
_INDENTATION = re.compile(rb"^[ \t]+", re.MULTILINE)
_COMMENT = re.compile(rb"#[^\n]*")
_WORDS = re.compile(rb"[\w.]+")

_NO_NAMES: frozenset[str] = frozenset()


@record
class Coroutines:
    """The coroutine functions of a text: those at its top, and the methods of its classes by the name of the class."""

    functions: frozenset[str]
    methods: dict[str, set[str]] | None
    """None when it is not known what belongs to what: then each may be anything."""

    def methods_of(self, klass: str) -> Collection[str]:
        return self.functions if self.methods is None else self.methods.get(klass, _NO_NAMES)


class Texts:
    """Asks the texts of modules, each question once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._coroutines: dict[tuple[str, bool], Coroutines] = {}
        self._imports: dict[str, dict[str, str]] = {}
        self._told_to_type_checkers: dict[str, dict[str, str]] = {}
        self._stars: dict[str, tuple[str, ...]] = {}
        self._answers: dict[tuple[str, str, int, bool], frozenset[str]] = {}

    def locate(self, name: str, directory: str) -> tuple[str, tuple[str, ...]] | None:
        """The file of the project behind the longest part of a dotted name, and the rest of the name."""
        stripped = name.lstrip(".")
        dots = name[: len(name) - len(stripped)]
        parts = stripped.split(".") if stripped else []
        if not dots and not (parts and self._project.has_top_level(parts[0], directory)):
            return None
        # Mostly all but the last word is a module: nothing can be in a file that is no package.
        module = self.module_path(dots + ".".join(parts[:-1]), directory) if dots or len(parts) > 1 else None
        if module is not None and parts and not module.endswith("__init__.py"):
            return module, (parts[-1],)
        for end in range(len(parts), 0 if not dots else -1, -1):
            path = self.module_path(dots + ".".join(parts[:end]), directory)
            if path is not None:
                package = self._package_that_hides(path, parts[-1]) if parts and end == len(parts) else None
                return (package, (parts[-1],)) if package is not None else (path, tuple(parts[end:]))
        return None

    def _package_that_hides(self, path: str, name: str) -> str | None:
        """The package that has something out of its module under the module's name: `from .fetch import fetch`."""
        package = os.path.join(os.path.dirname(path), "__init__.py")
        imported = self.imported_as(package, name) if package != path else ""
        if not imported.endswith(f"{name}.{name}"):
            return None
        module = self.module_path(imported.removesuffix(f".{name}"), os.path.dirname(package))
        return package if module == path else None

    def module_path(self, name: str, directory: str) -> str | None:
        """The file of a module, as it is imported from a folder."""
        return self._project.find_import_from(name, directory)

    def imported_as(self, path: str, name: str) -> str:
        """The dotted name that a file imports under a name, "" when it imports none of that name."""
        return self.imports_of(path).get(name, "")

    def imports_of(self, path: str) -> dict[str, str]:
        """What the names mean that a file imports, under `*` the modules from which it imports everything."""
        content = self._project.files.read(path)
        return self._imports_in(path, content) if content is not None else {}

    def star_imports_of(self, path: str) -> list[str]:
        """The names of the modules from which a file imports everything."""
        return self.imports_of(path).get("*", "").split()

    def coroutine_names(self, path: str, name: str, *, closely: bool = False) -> frozenset[str]:
        """Which coroutine functions a name of a file may give: the methods of the class that it is, or ITSELF.

        At first sight, whatever a file defines by `async def` may be of any class in it. A closer look takes longer.
        """
        return self._coroutine_names(path, name, MOST_STEPS, closely)

    def _coroutine_names(self, path: str, name: str, steps: int, closely: bool) -> frozenset[str]:
        # However many steps are left is part of the question: else the answer would depend on who asked first.
        key = (path, name, steps, closely)
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = frozenset(self._work_out(path, name, steps, closely)) if steps else _NO_NAMES
        return known

    def _work_out(self, path: str, name: str, steps: int, closely: bool) -> Iterator[str]:
        content = self._project.files.read(path)
        if content is None:
            return
        own = self._coroutines_in(path, content, closely)
        header = _header_of(content, name)
        if header is not None:
            yield from own.methods_of(name)
            imports = self._imports_in(path, content)
            for base in map(_decoded, _WORDS.findall(header)):
                if base in imports or base == name:
                    yield from self._elsewhere(path, content, base, steps, closely)
                else:
                    yield from self._coroutine_names(path, base, steps - 1, closely)
        elif name in own.functions:
            yield ITSELF
        else:
            alias = _alias_of(content, name) if name not in self._imports_in(path, content) else ""
            if alias and alias != name:
                yield from self._coroutine_names(path, alias, steps - 1, closely)
            yield from self._elsewhere(path, content, name, steps, closely)

    def _elsewhere(self, path: str, content: bytes, name: str, steps: int, closely: bool) -> Iterator[str]:
        """What a name gives that the file imports, from wherever it may be."""
        first, dot, rest = name.partition(".")
        source = self._imports_in(path, content).get(first) or self._told_in(path, content).get(first)
        if source:
            located = self.locate(source + dot + rest, os.path.dirname(path))
            if located is None:
                yield from names_in_library(source + dot + rest)
            elif located[1] and located[0] != path:
                yield from self._coroutine_names(located[0], located[1][0], steps - 1, closely)
            return
        for star in self._stars_in(path, content):
            further = self._project.files.read(star) or b""
            if name.encode(errors="replace") in further or self._stars_in(star, further):
                yield from self._coroutine_names(star, name, steps - 1, closely)

    def _stars_in(self, path: str, content: bytes) -> tuple[str, ...]:
        """The files of the project from which a file imports everything."""
        known = self._stars.get(path)
        if known is None:
            folder = os.path.dirname(path)
            found = (self.module_path(star, folder) for star in self._imports_in(path, content)["*"].split())
            known = self._stars[path] = tuple(star for star in found if star is not None)
        return known

    def _coroutines_in(self, path: str, content: bytes, closely: bool) -> Coroutines:
        key = (path, closely)
        known = self._coroutines.get(key)
        if known is None:
            look = coroutines_in if closely else _at_first_sight
            known = self._coroutines[key] = look(content) if b"async" in content else _NO_COROUTINES
        return known

    def _imports_in(self, path: str, content: bytes) -> dict[str, str]:
        """What the names mean that a module imports; under `*` the modules from which it imports everything."""
        known = self._imports.get(path)
        if known is None:
            known = self._imports[path] = imported_in(content)
        return known

    def _told_in(self, path: str, content: bytes) -> dict[str, str]:
        """The same of what a module tells type checkers alone: at runtime its `__getattr__` imports it, when asked."""
        known = self._told_to_type_checkers.get(path)
        if known is None:
            blocks = _blocks_for_type_checkers(content) if b"TYPE_CHECKING" in content else ()
            known = self._told_to_type_checkers[path] = imported_in(b"".join(blocks))
        return known


def names_in_library(dotted: str) -> frozenset[str]:
    """Which coroutine functions a dotted name of asyncio, anyio or trio gives: the methods of that class, or ITSELF."""
    name = canonical(dotted)
    return _ITSELF if name in KNOWN_COROUTINE_FUNCTIONS else KNOWN_COROUTINE_METHODS.get(name, _NO_NAMES)


_ITSELF = frozenset({ITSELF})
_NO_COROUTINES = Coroutines(_NO_NAMES, {})


def coroutines_in(content: bytes) -> Coroutines:
    """What a text defines by `async def`: what belongs to what is told by the indentation."""
    if b"\n\t" in content and b"\n  " in content:
        return _at_first_sight(content)
    functions: set[str] = set()
    methods: dict[str, set[str]] = {}
    # What is open around a definition, from the outside in, and up to where that is certain.
    around: list[tuple[re.Match[bytes], int]] = []
    content = b"\n" + content
    for definition in _DEFINITION.finditer(content):
        indentation, kind, name = definition.groups()
        while around and len(around[-1][0].group(1)) >= len(indentation):
            around.pop()
        if kind.startswith(b"async"):
            # A function is left where something stands that is indented no further.
            while around and around[-1][0].group(2) != b"class" and _is_left(*around[-1], definition):
                around.pop()
            if not around:
                functions.add(_decoded(name))
            elif around[-1][0].group(2) == b"class":
                outer, seen = around[-1]
                # The same of a class leaves it open whether this is under an `if` or the other thing in a docstring.
                if _is_left(outer, seen, definition):
                    return _at_first_sight(content)
                around[-1] = outer, definition.start()
                methods.setdefault(_decoded(outer.group(3)), set()).add(_decoded(name))
        around.append((definition, definition.end()))
    return Coroutines(frozenset(functions), methods)


def _decoded(name: bytes) -> str:
    return name.decode(errors="replace")


def _is_left(outer: re.Match[bytes], seen: int, definition: re.Match[bytes]) -> bool:
    """Whether something between a place and a definition is indented no further than the one that it may be within."""
    return _line_within(len(outer.group(1))).search(definition.string, seen, definition.start()) is not None


@cache
def _line_within(depth: int) -> re.Pattern[bytes]:
    """Whatever is indented no further than so far, but comments and the ends of heads over several lines."""
    return re.compile(rb"\n[ \t]{0,%d}[^\s#)\]}]" % depth)


def _at_first_sight(content: bytes) -> Coroutines:
    return Coroutines(frozenset(map(_decoded, _ASYNC_DEF.findall(content))), None)


def _blocks_for_type_checkers(content: bytes) -> Iterator[bytes]:
    """What stands under each `if TYPE_CHECKING:` at the top of a file, without its indentation."""
    for at in _lines_that_begin_with(content, b"if"):
        line_end = content.find(b"\n", at)
        if b"TYPE_CHECKING" in content[at:line_end]:
            match = _TOP_LINE.search(content, line_end + 1)
            block = content[line_end : match.start() if match is not None else len(content)]
            yield _INDENTATION.sub(b"", block)


def _alias_of(content: bytes, name: str) -> str:
    """The name behind `name = other`."""
    # Sought without the ` = `: a search for what ends in so common a character takes several times as long.
    head = b"\n" + name.encode(errors="replace")
    at = content.find(head)
    while at >= 0:
        end = at + len(head)
        if content.startswith(_EQUALS, end):
            match = _WORDS.match(content, end + len(_EQUALS))
            return _decoded(match.group()) if match is not None else ""
        at = content.find(head, end)
    return ""


_EQUALS = b" = "


def _header_of(content: bytes, name: str) -> bytes | None:
    """What stands between the name of a class and the colon, None when there is no such class."""
    end = end_of_definition(content, CLASS, name)
    return content[end : content.find(b":", end)] if end is not None else None


CLASS = b"class "


def end_of_definition(content: bytes, keyword: bytes, name: str) -> int | None:
    """Where a name ends that stands at the beginning of a line, behind `class ` or `def `; None where none does."""
    # Without a regular expression: to compile one for every name would cost more than this.
    head = keyword + name.encode(errors="replace")
    at = content.find(head)
    while at >= 0:
        end = at + len(head)
        if content[at - 1 : at] in (b"", b"\n") and not _WORDS.match(content, end):
            return end
        at = content.find(head, end)
    return None


def imported_in(content: bytes) -> dict[str, str]:
    content = content.removeprefix(BOM_UTF8)
    found: dict[str, str] = {}
    stars: list[str] = []
    for at in _lines_that_begin_with(content, b"from"):
        match = _FROM_IMPORT.match(content, at)
        if match is None:
            continue
        base = match.group(1).decode(errors="replace")
        names = match.group(2) or match.group(3) or b""
        if b"#" in names:
            names = _COMMENT.sub(b"", names)
        for part in names.replace(b"\\", b" ").decode(errors="replace").split(","):
            words = part.split()
            if words == ["*"]:
                stars.append(base)
            elif words:
                found[words[-1]] = joined(base, words[0])
    for at in _lines_that_begin_with(content, b"import"):
        match = _IMPORT.match(content, at)
        for part in match.group(1).decode(errors="replace").split(",") if match is not None else ():
            source, _, local = part.strip().partition(" as ")
            first = source.partition(".")[0]
            found[local.strip() or first] = source if local else first
    found["*"] = " ".join(stars)
    return found


def _lines_that_begin_with(content: bytes, word: bytes) -> Iterator[int]:
    """The places of a word at the beginning of a line. Ten times as fast as a regular expression that says so."""
    if content.startswith(word):
        yield 0
    mark = b"\n" + word
    at = content.find(mark)
    while at >= 0:
        yield at + 1
        at = content.find(mark, at + 1)


def joined(base: str, name: str) -> str:
    """A name in a module, which may be `.` or `..`."""
    return base + name if base.endswith(".") else f"{base}.{name}"
