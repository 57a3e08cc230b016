"""What a name means at the top of a file, told from its text, with the few lines of it that have to be parsed.

A test file imports from dozens of modules, of which one class or function each is asked about. Parsing the modules
whole would cost more than everything else. So the lines that bind the name are looked for in the text; where it is
certain that there is just one, an import gives the answer and a definition is parsed alone, below the imports that its
names come from. In doubt the answer is None, and whoever asked parses the file.

What is asked first, and how much, changes no answer: else what is found would depend on the order of the files.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.lazy import lazy
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") | frozenset(range(128, 256))
# Where a line begins that is no part of what stands above it: not with a space, a comment, or a closing bracket.
_TOP_LINE = re.compile(rb"^[^\s#)\]}]", re.MULTILINE)
_DEFINITION = re.compile(rb"(?:async[ \t]+def|def|class)[ \t]+(\w+)")
_HOLDS_ITS_OWN_NAMES = re.compile(rb"(?:async[ \t]+def|def|class)\b|@|from\b|import\b")
# No second bracket may open within the brackets: else each that is never closed would be read to the end of the file.
_IMPORT = re.compile(
    rb"^(?:from[ \t]+[.\w]+[ \t]+import[ \t]*(?:\((?:[^()#]|#[^\n]*)*+\)|[^\n\\]*(?:\\\r?\n[^\n\\]*)*)"
    rb"|import[ \t]+[^\n#;]+)",
    re.MULTILINE,
)
_IS_ASSIGNED = re.compile(rb"(?:[ \t]|\\\r?\n)*(?:[-+*/%@&|^]|//|\*\*|<<|>>)?=(?!=)")
_MAY_BE_A_TARGET = re.compile(rb"[\w \t,.*()\[\]]*=(?!=)")
_BINDS_WHAT_FOLLOWS = re.compile(
    rb"\b(?:as|del|import)[ \t(\[*]+(?:[\w \t,.*()\[\]]*,[ \t(\[*]*)?$|\bfor\b[^=:]*$|^[ \t]*case\b|;"
)
_ALIAS = re.compile(rb"[ \t]*=[ \t]*([A-Za-z_][\w.]*)[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_IS_PLAIN_VALUE = re.compile(rb"[ \t]*=[ \t]*[^\s(\\]")
_CONSTANTS = frozenset({b"True", b"False", b"None"})
_MAY_GO_ON = re.compile(rb"(?:[(\[][\w \t,.*(\[]*|[\w \t,]*,)?[ \t]*")
_IS_IN_A_LIST = re.compile(rb"[ \t]*(?:[,)#\r\n]|$)")
_IS_ANNOTATED = re.compile(rb"[ \t)]*:")
_SET_ATTRIBUTE = re.compile(rb"\.([\w\x80-\xff]+)[ \t)\\\r\n]*=(?!=)")
_GLOBAL = re.compile(rb"(?:^|[:;])[ \t]*global[ \t\\]+([^\n\\#;]*(?:\\\r?\n[^\n\\#;]*)*)", re.MULTILINE)
_SETATTR = re.compile(rb"(?<![.\w])setattr\b")
_CONDITIONAL_STAR = re.compile(rb"^[ \t]+from\b[^\n#]*\bimport[ \t]*\*", re.MULTILINE)
_DECORATOR = re.compile(rb"^[ \t]*@[ \t]*(\w+)(?:\.(\w+))?", re.MULTILINE)
_FIRST_WORDS = re.compile(rb"(?<![.\w])\w+")
_TRIPLE_QUOTE = re.compile(rb'"""|\'\'\'')
_OF_PROPERTIES = frozenset({b"setter", b"getter", b"deleter"})
_PYTHONS_OWN = frozenset({b"classmethod", b"property", b"staticmethod"})


class How(Enum):
    """How a file binds a name, once."""

    DEFINED = "by a definition"
    IMPORTED = "by an import"
    RENAMED = "as another name for something"
    OTHER = "as a value that is worked out"
    NOT = "not at all"


@record
class Excerpt:
    """What the text of a file says of one name."""

    how: How
    text: bytes = b""
    """Of a definition, itself below the imports of the file, classes of the file that it inherits from in short, or
    nothing where it is cheaper to parse the file; of another name for something, that."""


class Excerpts:
    """The text of one file, and what it says of the names at its top."""

    def __init__(self, content: bytes, imported: dict[str, str]) -> None:
        self._content = content
        self._imported = imported
        self._given = 0
        self._found: dict[str, tuple[How | None, int]] = {}

    def of(self, name: str) -> Excerpt | None:
        """What a name means, None when the text does not make it certain."""
        how, place = self._binding_of(name)
        if how is How.DEFINED:
            text = self._definition(place)
            return Excerpt(how, text) if text is not None else None
        if how is How.RENAMED:
            return self._renamed(place + len(name.encode()))
        return Excerpt(how) if how is not None else None

    def _binding_of(self, name: str) -> tuple[How | None, int]:
        """How a name is bound and where, None when that is not certain."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> tuple[How | None, int]:
        place = -1
        how = How.IMPORTED if name in self._imported else How.NOT
        for at, found in self._bindings(name.encode()):
            if found is None or (how is not How.NOT and found is not How.IMPORTED):
                return None, at
            if found is not How.IMPORTED:
                how, place = found, at
            elif how is not How.IMPORTED:
                return None, at
        return how, place

    def _renamed(self, end: int) -> Excerpt | None:
        """What an assignment makes of the name that ends at a place."""
        match = _ALIAS.match(self._content, end)
        if match is not None and match.group(1) not in _CONSTANTS:
            return Excerpt(How.RENAMED, match.group(1))
        # In brackets it may go on on the next line, and an annotation may be one without a value.
        is_plain = match is not None or _IS_PLAIN_VALUE.match(self._content, end) is not None
        return Excerpt(How.OTHER) if is_plain else None

    @lazy
    def changed(self) -> frozenset[str] | None:
        """The names that functions bind again, and the attributes that are set; None when that cannot be told."""
        for match in _SETATTR.finditer(self._content):
            if not self._is_in_definition(match.start()):
                return None
        found = set(_SET_ATTRIBUTE.findall(self._content))
        for names in _GLOBAL.findall(self._content) if b"global" in self._content else ():
            found.update(_FIRST_WORDS.findall(names))
        return frozenset(name.decode(errors="replace") for name in found)

    # -- what binds a name ------------------------------------------------------------------------------------------

    def _bindings(self, name: bytes) -> Iterator[tuple[int, How | None]]:
        """Each place that may bind a name at the top of the file; None says that it cannot be told what it does."""
        content = self._content
        at = content.find(name)
        while at >= 0:
            end = at + len(name)
            is_word = content[end : end + 1] not in _AS_BYTES and content[at - 1 : at] not in _AS_BYTES
            if is_word and content[at - 1 : at] != b".":
                found = self._binding_at(at, end)
                if found is not How.NOT:
                    # In the midst of a text it may be an example.
                    yield at, None if self._may_be_in_text(at) else found
            at = content.find(name, end)

    def _binding_at(self, at: int, end: int) -> How | None:
        content = self._content
        begin = content.rfind(b"\n", 0, at) + 1
        if at - begin > _LONGEST_LINE:
            return None
        before = content[begin:at]
        indent = len(before) - len(before.lstrip())
        if before[indent : indent + 1] == b"#":
            return How.NOT
        goes_on = content[begin - 2 : begin] == b"\\\n" or content[begin - 3 : begin] == b"\\\r\n"
        is_top = not goes_on and not before[:1].isspace()
        definition = _DEFINITION.match(content, begin + indent)
        if definition is not None and definition.start(1) == at:
            binds: How | None = How.DEFINED
        elif is_top and _is_import(before):
            binds = How.IMPORTED
        elif not before.strip(b" \t(") and _IS_ANNOTATED.match(content, end):
            binds = None
        elif not before.strip() and _IS_ASSIGNED.match(content, end):
            binds = How.RENAMED
        elif _BINDS_WHAT_FOLLOWS.search(before) or self._may_be_bound_in_passing(before, end):
            binds = None
        elif _MAY_GO_ON.fullmatch(before) and _IS_IN_A_LIST.match(content, end):
            # In the brackets of an import under some condition, or of what is unpacked.
            binds = None
        else:
            return How.NOT
        if is_top:
            return binds
        # In a definition it is a name of that; in the brackets of an import it is told of already.
        if self._is_in_definition(begin):
            top = self._top_line_at(begin)
            return How.IMPORTED if _is_import(content[top : top + 7]) else How.NOT
        return None

    def _is_in_definition(self, place: int) -> bool:
        """Whether the statement at the top of the file that a place stands in binds no names but its own."""
        top = self._top_line_at(place)
        return top >= 0 and _HOLDS_ITS_OWN_NAMES.match(self._content, top) is not None

    def _may_be_in_text(self, place: int) -> bool:
        return bisect_right(self._triple_quotes, place) % 2 == 1

    @lazy
    def _triple_quotes(self) -> list[int]:
        return [match.start() for match in _TRIPLE_QUOTE.finditer(self._content)]

    def _may_be_bound_in_passing(self, before: bytes, end: int) -> bool:
        """Whether a name may stand among the targets of an assignment, or before a `:=`."""
        content = self._content
        if content[end : end + 4].lstrip().startswith(b":="):
            return True
        if before.rstrip().endswith(b":") and (_IS_ASSIGNED.match(content, end) or _IS_ANNOTATED.match(content, end)):
            # `if a == b: name = c`
            return True
        if before.rstrip().endswith(b"=") and _IS_ASSIGNED.match(content, end):
            return True
        match = _MAY_BE_A_TARGET.match(content, end, end + _LONGEST_LINE) if b"=" not in before else None
        if match is None or _HOLDS_ITS_OWN_NAMES.match(before):
            return False
        # Within brackets that are still open at the sign it is the name of an argument.
        return before.count(b"(") - before.count(b")") <= match.group().count(b")")

    @lazy
    def _top_lines(self) -> list[int]:
        return [match.start() for match in _TOP_LINE.finditer(self._content)]

    def _top_line_at(self, place: int) -> int:
        """Where the statement begins, at the top of the file, that a place stands in; -1 where none does."""
        index = bisect_right(self._top_lines, place) - 1
        return self._top_lines[index] if index >= 0 else -1

    # -- one definition ---------------------------------------------------------------------------------------------

    def _definition(self, name_at: int) -> bytes | None:
        """A definition with its decorators, below what it needs of the file; None when it needs more than that.

        Nothing is given any more when as much was given as the file is long: it is cheaper then to parse that once.
        """
        tops = self._top_lines
        index = bisect_right(tops, name_at) - 1
        end = tops[index + 1] if index + 1 < len(tops) else len(self._content)
        while index > 0 and self._content[tops[index - 1] : tops[index - 1] + 1] == b"@":
            index -= 1
        text = self._content[tops[index] : end]
        above = self._content[tops[index - 1] : tops[index]] if index else b""
        if _is_cut_off(text) or not _has_balanced_brackets(above):
            # It ends in the midst of something that has lines which look like statements, or what is above it began so
            # and may be a decorator.
            return None
        if self._has_conditional_stars or any(len(line) > _LONGEST_LINE for line in text.splitlines()):
            return None
        if not all(self._keeps_its_meaning(*words) for words in _DECORATOR.findall(text)):
            return None
        bases = self._bases_in_short(name_at, end)
        if bases is None:
            return None
        if self._given > _MOST_GIVEN * len(self._content):
            return b""
        found = b"\n".join((self._import_lines, *bases, _without_bodies(text)))
        self._given += len(found)
        return found

    @lazy
    def _has_conditional_stars(self) -> bool:
        return b"*" in self._content and _CONDITIONAL_STAR.search(self._content) is not None

    def _keeps_its_meaning(self, first: bytes, second: bytes) -> bool:
        """Whether a decorator means without the rest of the file what it means in it."""
        how, _ = self._binding_of(first.decode(errors="replace"))
        # One of this file may be anything.
        return second in _OF_PROPERTIES or how is How.IMPORTED or (how is How.NOT and first in _PYTHONS_OWN)

    @lazy
    def _import_lines(self) -> bytes:
        return b"\n".join(match.group() for match in _IMPORT.finditer(self._content))

    def _bases_in_short(self, name_at: int, end: int) -> list[bytes] | None:
        """The classes of this file among the bases of a class: that they are classes is enough.

        None where the file makes of one what cannot be told in short.
        """
        if not self._is_class(name_at):
            return []
        head, colon, _ = self._content[name_at:end].partition(b":")
        if not colon or _is_cut_off(head):
            return None
        found: list[bytes] = []
        # A class of its own name is one of another module: `class Client(http.Client)`.
        _, *words = dict.fromkeys(_FIRST_WORDS.findall(head))
        for word in words:
            how, place = self._binding_of(word.decode(errors="replace"))
            if how is How.DEFINED and self._is_class(place):
                found.append(b"class " + word + b": ...")
            elif how not in (How.IMPORTED, How.NOT):
                return None
        return found

    def _is_class(self, name_at: int) -> bool:
        """Whether the definition of a name is one of a class."""
        return self._content.startswith(b"class", self._top_line_at(name_at))


def _is_cut_off(text: bytes) -> bool:
    """Whether a text or a bracket in it may be still open at its end."""
    if text.count(b'"""') % 2 or text.count(b"'''") % 2:
        return True
    return not _has_balanced_brackets(text)


def _has_balanced_brackets(text: bytes) -> bool:
    return all(text.count(first) == text.count(last) for first, last in ((b"(", b")"), (b"[", b"]"), (b"{", b"}")))


def _without_bodies(text: bytes) -> bytes:
    """A class without what its methods do, but for those whose bodies say what they are; a function as it is."""
    lines = text.splitlines(keepends=True)
    first = next((at for at, line in enumerate(lines) if line[:1].isspace() and line.strip()), None)
    if first is None or not any(line.startswith(b"class") for line in lines[:first]):
        return text
    indent = _indent_of(lines[first])
    found: list[bytes] = lines[:first]
    at = first
    while at < len(lines):
        head = lines[at]
        found.append(head)
        at += 1
        if _indent_of(head) != indent or not head.lstrip().startswith((b"def ", b"async def ")):
            continue
        # The head may go on over several lines, up to one that ends it.
        while at < len(lines) and not _ENDS_HEAD.search(found[-1]):
            found.append(lines[at])
            at += 1
        begin = at
        while at < len(lines) and (not lines[at].strip() or _indent_of(lines[at]) > indent):
            at += 1
        body = b"".join(lines[begin:at])
        found.append(body if _TELLING.search(body) or not body.strip() else lines[first][:indent] + b" ...\n")
    return b"".join(found)


def _indent_of(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))


# The colon of a head stands at the end of a line, or else the whole body stands on it too.
_ENDS_HEAD = re.compile(rb":[ \t]*(?:#[^\n]*)?\r?\n$|\)[^\n]*:[^\n]*\S")
# What a body has in it that makes a generator, stands for subclasses, or gives back its instance.
_TELLING = re.compile(rb"\byield\b|NotImplementedError|\breturn[ \t]+self[ \t]*\r?$", re.MULTILINE)

# Of a longer line nothing is asked: what is asked of each name on it would take the square of its length.
_LONGEST_LINE = 2000

# How much is given of a file before it is cheaper to parse it once, in lengths of the file.
_MOST_GIVEN = 1

_AS_BYTES = frozenset(bytes([letter]) for letter in _WORD)


def _is_import(line: bytes) -> bool:
    return line.startswith((b"from ", b"import ", b"from\t", b"import\t"))
