"""The README says of each rule what its page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flake8_async_tests.command.listing import as_markdown
from flake8_async_tests.command.pages import summary_of as command_summary_of
from flake8_async_tests.rules import all_rules
from tests.pages import PAGES, load_page, page_paths

if TYPE_CHECKING:
    from flake8_async_tests.rule import Rule

ROOT = Path(__file__).parent.parent


def summary_of(path: Path) -> str:
    """The first sentence of a page, on one line."""
    text = load_page(path).sections["What it does"].text.strip()
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z`(])", paragraph)[0]


def test_the_table_of_rules() -> None:
    """It is what `flake8-async-tests rules --output-format markdown` prints."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    between = readme.partition("<!-- rules -->\n")[2].partition("\n<!-- end of rules -->")[0]
    assert between == as_markdown()


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in page_paths()])
def test_that_summaries_fit_into_a_table(path: Path) -> None:
    summary = summary_of(path)
    assert summary.endswith(".")
    assert "|" not in summary
    assert len(summary) <= 320


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.code) for rule in all_rules()])
def test_that_the_command_reads_a_page_as_the_tests_do(rule: Rule) -> None:
    assert command_summary_of(rule) == summary_of(PAGES / f"{rule.code}.md")
