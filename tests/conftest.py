"""What all tests share: the choice of the packages against which the pages' proofs are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--proof-environment",
        choices=("new", "old"),
        default="new",
        help="which lines of the pages' proofs to run: those for the current packages, or those for the old ones",
    )
