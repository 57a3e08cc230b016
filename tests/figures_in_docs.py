"""Figures in the docs are written by what measures them: what is copied by hand is forgotten one day."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_WORDS_THAT_TELL = 3
"""A block of figures begins with the same words whatever was measured: `| test files`, `Importing the plugin`."""


def put_figures(page: Path, blocks: Iterable[str]) -> None:
    """Put tables and sentences into a page, each in the place of the one that begins as it does."""
    shown = page.read_text(encoding="utf-8").split("\n\n")
    for block in blocks:
        places = [place for place, old in enumerate(shown) if _beginning(old) == _beginning(block)]
        if len(places) != 1:
            raise ValueError(f"{page.name} has {len(places)} places for {' '.join(_beginning(block))!r}")
        shown[places[0]] = block
    page.write_text("\n\n".join(shown), encoding="utf-8")


def _beginning(block: str) -> list[str]:
    return block.split(maxsplit=_WORDS_THAT_TELL)[:_WORDS_THAT_TELL]
