"""Reads the steps of the migration guide, and old suites in the same form, each written much like a rule's page.

A step is a `## Heading` with a block ``proof``. Its fenced blocks are files, the name behind the language and whether
it is the one before or after the step: ``python conftest.py, before``; ``both`` is for one that stays. A block ``sh``
is what carries the step out; one without begins with the words "By hand". The proof says what real pytest makes of
both, as on a page, under the names ``Before`` and ``After``. A block ``left`` lists what the plugin still reports
after the step, as ``path:line:column CODE``.

Like the reader of the pages it knows nothing of the plugin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pages import PAGES, Page, Section, proof_of, sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = PAGES.parent / "migration.md"
SUITES = sorted((Path(__file__).parent / "suites" / "legacy").glob("*.md"))
"""Whole suites as they were written years ago."""

_FILE = re.compile(r"[a-z]+ (?P<name>\S+), (?P<when>before|after|both)")


@dataclass(frozen=True, slots=True)
class Step:
    """What there is before and after a step, and the command that makes the one of the other, if there is one."""

    title: str
    command: str
    page: Page
    """The step in the form of a rule's page: what was before is its example, what is after its remedy."""
    left: tuple[str, ...]
    """What is reported after it, in order."""


def load_steps(path: Path = GUIDE) -> list[Step]:
    """The steps of the guide, in order."""
    return list(_steps(path))


def _steps(path: Path) -> Iterator[Step]:
    for section in sections_of(path.read_text(encoding="utf-8").splitlines(), path):
        if any(block.info == "proof" for block in section.blocks):
            yield _step(section, path)


def _step(section: Section, path: Path) -> Step:
    files: dict[str, dict[str, str]] = {"before": {}, "after": {}}
    for block in section.blocks:
        match = _FILE.fullmatch(block.info)
        if match is not None:
            for when in files if match["when"] == "both" else (match["when"],):
                assert match["name"] not in files[when], f"{path}:{block.line}: a second {match['name']}"
                files[when][match["name"]] = block.text
    page = Page(
        path=path,
        code=section.title,
        name="",
        sections={},
        example=files["before"],
        fixed=files["after"],
        proof=proof_of(section, path),
        also_shown=frozenset(),
    )
    commands = [block.text.strip() for block in section.blocks if block.info == "sh"]
    left = [line for block in section.blocks if block.info == "left" for line in block.text.splitlines()]
    is_by_hand = section.text.partition("\n\n")[0].startswith("By hand")
    return Step(section.title, "" if is_by_hand else commands[0], page, tuple(left))
