"""Reads what the documents show: their fenced blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent

_OPENING = re.compile(r"(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`]*)")


@dataclass(frozen=True, slots=True)
class Block:
    """The text between two fences, and what stands behind the first one."""

    path: str
    line: int
    info: str
    text: str


def blocks_of(path: Path) -> Iterator[Block]:
    """All fenced blocks of a document."""
    shown = path.relative_to(ROOT).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    opening: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(lines, 1):
        if opening is None:
            opening, start = _OPENING.fullmatch(line), number
        elif line.rstrip() == opening["ticks"]:
            yield Block(
                shown, start, opening["info"].strip(), "".join(f"{each}\n" for each in lines[start : number - 1])
            )
            opening = None
    assert opening is None, f"{shown}:{start}: a block that never ends"


def texts_of(name: str, info: str) -> list[str]:
    """The texts of a document's blocks of one kind."""
    return [block.text for block in blocks_of(ROOT / name) if block.info == info]
