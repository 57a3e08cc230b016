"""Reads a rule's page: its sections, the small projects it shows, and what it says pytest makes of them.

A page is prose for people and a specification for the tests at once, so that it can be held to what it
promises. Every fenced block under "Example" and "Use instead" is a file of a small project, its name behind
the language (``python conftest.py``; ``python`` alone is a test file). Each section shows its project whole.

The block ``proof`` says what comes of them under pytest, one run a line::

    Example: 1 failed
      some text that the output holds
      not: some text that it does not hold
    Use instead: 1 passed, 1 skipped
    Example, old: 1 skipped
    Example, with -W error::RuntimeWarning: 1 failed

``old`` means the old packages of the environment ``proof-old``, everything else the current ones. A run
comes to the counts of pytest's last line (warnings only where they are named), to ``no tests``, to
``hangs``, or to ``exit 4``.

Nothing in here knows the plugin: the environment with the old packages reads pages too, and has none of it.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAGES = Path(__file__).parent.parent / "docs" / "rules"

SECTIONS = (
    "What it does",
    "Why is this bad?",
    "Example",
    "Use instead",
    "When it stays silent",
    "Options",
    "Fix",
    "Proof",
    "References",
)
"""Every heading a page may have, in the order it must have them."""

OPTIONAL_SECTIONS = frozenset({"Options", "Fix"})

DEFAULT_FILE = "test_example.py"
"""What a block that says only ``python`` is the text of."""

TITLE = re.compile(r"# (?P<code>AT\d{3}): (?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)")
FENCE = re.compile(r"(?P<ticks>`{3,})(?P<info>[^`]*)")
ALSO_SHOWN = re.compile(r"^The example also shows (?P<codes>AT\d{3}(?:(?:, | and )AT\d{3})*)\.$", re.MULTILINE)
SUBJECT = re.compile(r"(?P<project>Example|Use instead|Before|After)(?P<old>, old)?(?:, with (?P<arguments>\S.*))?")
COUNT = re.compile(r"(?P<number>\d+) (?P<what>[a-z]+(?: [a-z]+)*)")

ProjectName = Literal["Example", "Use instead"]
PROJECTS: Mapping[str, ProjectName] = {
    "Example": "Example",
    "Use instead": "Use instead",
    # What the two are called in the migration guide.
    "Before": "Example",
    "After": "Use instead",
}


class PageError(Exception):
    """A page that does not keep to the form, and where it leaves it."""


class Ending(StrEnum):
    """How a run of pytest may end."""

    COUNTS = "with counts of outcomes"
    NO_TESTS = "without having run a test"
    HANGS = "not at all"
    EXIT = "with an exit code"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run is said, or was seen, to come to."""

    ending: Ending
    counts: Mapping[str, int]
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class ProofRun:
    """One line of a proof, with the lines indented below it."""

    claim: str
    """The line up to its outcome: what tells it from the page's other runs."""
    project: ProjectName
    old: bool
    arguments: tuple[str, ...]
    outcome: Outcome
    shown: tuple[str, ...]
    not_shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the text between the fences, and what stands behind the opening one."""

    info: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with everything up to the next one."""

    title: str
    line: int
    text: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A rule's page."""

    path: Path
    code: str
    name: str
    sections: Mapping[str, Section]
    example: Mapping[str, str]
    fixed: Mapping[str, str]
    proof: tuple[ProofRun, ...]
    also_shown: frozenset[str]
    """Codes of other rules that report something in the example, as the page admits."""

    def files(self, project: ProjectName) -> Mapping[str, str]:
        """The project that a proof run is about."""
        return self.example if project == "Example" else self.fixed


def page_paths(directory: Path = PAGES) -> list[Path]:
    """The pages of a folder, by code."""
    return sorted(directory.glob("*.md"))


def load_page(path: Path) -> Page:
    """Read the page at a path; `PageError` when it is not one."""
    return parse_page(path.read_text(encoding="utf-8"), path)


def parse_page(text: str, path: Path) -> Page:
    """Read a page's text; the path is for error messages, and its name must be the code's."""
    lines = text.splitlines()
    title = TITLE.fullmatch(lines[0]) if lines else None
    if title is None:
        _fail(path, 1, "the first line must be like '# AT101: unmarked-async-test'")
    if path.stem != title["code"]:
        _fail(path, 1, f"the title says {title['code']}, the file's name {path.stem}")
    sections = {section.title: section for section in sections_of(lines, path)}
    _check_order(list(sections.values()), path)
    return Page(
        path=path,
        code=title["code"],
        name=title["name"],
        sections=sections,
        example=_files(sections["Example"], path),
        fixed=_files(sections["Use instead"], path),
        proof=proof_of(sections["Proof"], path),
        also_shown=_also_shown(text),
    )


def parse_counts(text: str) -> dict[str, int] | None:
    """The counts in a text like ``1 failed, 2 passed``; None when it says anything else."""
    counts: Counter[str] = Counter()
    for part in text.split(", "):
        match = COUNT.fullmatch(part)
        if match is None:
            return None
        counts[_singular(match["what"])] += int(match["number"])
    return dict(counts)


def _singular(what: str) -> str:
    """Pytest writes ``1 error`` and ``2 errors``; to us they are one thing."""
    return {"errors": "error", "warnings": "warning"}.get(what, what)


def _fail(path: Path, line: int, message: str) -> NoReturn:
    raise PageError(f"{path}:{line}: {message}")


def sections_of(lines: Sequence[str], path: Path) -> Iterator[Section]:
    """The sections in the order of the page; a heading inside a fence is none."""
    blocks = list(_blocks(lines, path))
    inside = {number for block in blocks for number in _line_numbers(block)}
    starts = [n for n, line in enumerate(lines, 1) if line.startswith("## ") and n not in inside]
    seen: set[str] = set()
    for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True):
        title = lines[start - 1].removeprefix("## ").strip()
        if title in seen:
            _fail(path, start, f"a second section {title!r}")
        seen.add(title)
        text = "\n".join(lines[start : end - 1]).strip()
        if not text:
            _fail(path, start, f"the section {title!r} is empty")
        yield Section(title, start, text, tuple(block for block in blocks if start < block.line < end))


def _blocks(lines: Sequence[str], path: Path) -> Iterator[Block]:
    opening: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(lines, 1):
        if opening is None:
            opening, start = FENCE.fullmatch(line), number
        elif line.rstrip() == opening["ticks"]:
            body = lines[start : number - 1]
            yield Block(opening["info"].strip(), "".join(f"{text}\n" for text in body), start)
            opening = None
    if opening is not None:
        _fail(path, start, "a fenced block that never ends")


def _line_numbers(block: Block) -> range:
    return range(block.line, block.line + block.text.count("\n") + 2)


def _check_order(sections: Sequence[Section], path: Path) -> None:
    places = []
    for section in sections:
        if section.title not in SECTIONS:
            _fail(path, section.line, f"no section is called {section.title!r}")
        places.append(SECTIONS.index(section.title))
        if places[-1] < max(places):
            after = SECTIONS[max(places)]
            _fail(path, section.line, f"the section {section.title!r} belongs before {after!r}")
    titles = {section.title for section in sections}
    for wanted in SECTIONS:
        if wanted not in titles and wanted not in OPTIONAL_SECTIONS:
            _fail(path, 1, f"the section {wanted!r} is missing")


def _files(section: Section, path: Path) -> dict[str, str]:
    """The project that a section shows: every fenced block in it is a file."""
    files: dict[str, str] = {}
    for block in section.blocks:
        name = _file_name(block, path)
        if name in files:
            _fail(path, block.line, f"a second {name} in {section.title!r}")
        files[name] = block.text
    if not files:
        _fail(path, section.line, f"{section.title!r} shows no file")
    return files


def _file_name(block: Block, path: Path) -> str:
    language, _, name = block.info.partition(" ")
    name = name.strip()
    if not name:
        if language != "python":
            _fail(path, block.line, f"the block {block.info!r} must name its file, like 'ini pytest.ini'")
        return DEFAULT_FILE
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or " " in name or str(pure) != name:
        _fail(path, block.line, f"{name!r} is no plain relative path")
    return name


def _also_shown(text: str) -> frozenset[str]:
    return frozenset(code for match in ALSO_SHOWN.finditer(text) for code in re.findall(r"AT\d{3}", match["codes"]))


def proof_of(section: Section, path: Path) -> tuple[ProofRun, ...]:
    blocks = [block for block in section.blocks if block.info == "proof"]
    if len(blocks) != 1:
        _fail(path, section.line, f"the section 'Proof' holds {len(blocks)} blocks 'proof' instead of one")
    runs = tuple(_runs(blocks[0], path))
    if not any(not run.old for run in runs):
        _fail(path, blocks[0].line, "the proof has no run with the current packages")
    twice = [claim for claim, count in Counter(run.claim for run in runs).items() if count > 1]
    if twice:
        _fail(path, blocks[0].line, f"the proof says twice what comes of {twice[0]!r}")
    return runs


def _runs(block: Block, path: Path) -> Iterator[ProofRun]:
    """The runs of a proof: a line at the margin each, with what its output must show indented below."""
    lines = [(number, line) for number, line in enumerate(block.text.splitlines(), block.line + 1) if line.strip()]
    margins = [i for i, (_, line) in enumerate(lines) if not line[0].isspace()]
    if lines and (not margins or margins[0] != 0):
        _fail(path, lines[0][0], "an indented line with no run above it")
    for start, end in zip(margins, [*margins[1:], len(lines)], strict=True):
        number, claim = lines[start]
        below = [line.strip() for _, line in lines[start + 1 : end]]
        yield _run(claim.rstrip(), below, path, number)


def _run(text: str, below: Sequence[str], path: Path, line: int) -> ProofRun:
    # From the right: an argument may hold a colon, as in "-W error::RuntimeWarning"; an outcome never does.
    claim, _, outcome = text.rpartition(": ")
    subject = SUBJECT.fullmatch(claim)
    if subject is None:
        _fail(path, line, f"{text!r} is not like 'Example[, old][, with <arguments>]: <outcome>'")
    return ProofRun(
        claim=claim,
        project=PROJECTS[subject["project"]],
        old=subject["old"] is not None,
        arguments=_arguments(subject["arguments"] or "", path, line),
        outcome=_outcome(outcome, path, line),
        shown=tuple(part for part in below if not part.startswith("not: ")),
        not_shown=tuple(part.removeprefix("not: ").strip() for part in below if part.startswith("not: ")),
    )


def _arguments(text: str, path: Path, line: int) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        _fail(path, line, f"the arguments {text!r} cannot be read: {error}")


def _outcome(text: str, path: Path, line: int) -> Outcome:
    if text == "hangs":
        return Outcome(Ending.HANGS, {})
    if text == "no tests":
        return Outcome(Ending.NO_TESTS, {})
    if match := re.fullmatch(r"exit (\d+)", text):
        return Outcome(Ending.EXIT, {}, int(match[1]))
    counts = parse_counts(text)
    if counts is None:
        _fail(path, line, f"{text!r} is no outcome: write '1 passed, 2 failed', 'no tests', 'hangs' or 'exit 4'")
    return Outcome(Ending.COUNTS, counts)
