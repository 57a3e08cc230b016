"""Figures are put into the docs in the place of the old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.figures_in_docs import put_figures

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """\
# Cost

| plugin | old |
|---|---|
| ours | 2 |

Importing the plugin takes 70 ms.

| test files | old |
"""


def test_each_takes_the_place_of_the_one_that_begins_alike(tmp_path: Path) -> None:
    page = tmp_path / "cost.md"
    page.write_text(PAGE, encoding="utf-8")
    put_figures(page, ["| plugin | new |\n|---|---|\n| ours | 1 |", "Importing the plugin takes 40 ms."])
    expected = PAGE.replace("| old |\n|---", "| new |\n|---", 1).replace("| 2 |", "| 1 |").replace("70", "40")
    assert page.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("block", ["| no such table |", "| test files | new |"])
def test_there_must_be_one_place(tmp_path: Path, block: str) -> None:
    page = tmp_path / "cost.md"
    page.write_text(f"{PAGE}\n{PAGE}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"cost\.md has [02] places"):
        put_figures(page, [block])
    assert page.read_text(encoding="utf-8") == f"{PAGE}\n{PAGE}"
