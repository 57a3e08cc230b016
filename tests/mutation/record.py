"""What a run over the pinned packages came to: the files `figures.txt` and `doubts.txt`.

A line of the first says how many mutants of a rule a package gave that must be found, how many of them were, and how
many were undecidable; a line of the second how many mutants of a rule were undecidable for one reason, in all packages,
and how many of them were found all the same:

    aiogram AT101 12 12 3
    AT101 16 0 a conftest.py has hooks or plugins
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.mutation.run import Tried

FOLDER = Path(__file__).parent

_FIGURES = re.compile(
    r"(?P<package>[a-z0-9-]+) (?P<code>AT\d{3}) (?P<decidable>\d+) (?P<caught>\d+) (?P<undecidable>\d+)"
)
_DOUBT = re.compile(r"(?P<code>AT\d{3}) (?P<mutants>\d+) (?P<caught>\d+) (?P<reason>\S.*)")


@dataclass(frozen=True, slots=True, order=True)
class Figures:
    """The mutants that a package gave of one rule."""

    package: str
    code: str
    decidable: int
    caught: int
    undecidable: int

    def __str__(self) -> str:
        return f"{self.package} {self.code} {self.decidable} {self.caught} {self.undecidable}"


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """Why mutants of a rule were undecidable, how many were, and how many of them were found all the same."""

    code: str
    reason: str
    mutants: int
    caught: int

    def __str__(self) -> str:
        return f"{self.code} {self.mutants} {self.caught} {self.reason}"


@dataclass(frozen=True, slots=True)
class Record:
    """What one run came to, or several together."""

    figures: tuple[Figures, ...]
    doubts: tuple[Doubt, ...]


def count(package: str, tried: Iterable[Tried]) -> Record:
    """What the mutants of one package came to."""
    decidable, caught, undecidable = Counter[str](), Counter[str](), Counter[str]()
    doubts, caught_in_doubt = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for each in tried:
        code, reason = each.mutant.code, each.mutant.doubt
        if reason:
            undecidable[code] += 1
            doubts[code, reason] += 1
            caught_in_doubt[code, reason] += each.is_caught
        else:
            decidable[code] += 1
            caught[code] += each.is_caught
    return Record(
        tuple(
            Figures(package, code, decidable[code], caught[code], undecidable[code])
            for code in sorted({*decidable, *undecidable})
        ),
        tuple(Doubt(code, reason, n, caught_in_doubt[code, reason]) for (code, reason), n in sorted(doubts.items())),
    )


def together(records: Iterable[Record]) -> Record:
    """What several packages came to."""
    figures: list[Figures] = []
    mutants, caught = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for record in records:
        figures += record.figures
        for each in record.doubts:
            mutants[each.code, each.reason] += each.mutants
            caught[each.code, each.reason] += each.caught
    doubts = (Doubt(code, reason, n, caught[code, reason]) for (code, reason), n in sorted(mutants.items()))
    return Record(tuple(sorted(figures)), tuple(doubts))


def read() -> Record:
    """What is written down."""
    return Record(
        tuple(
            Figures(match["package"], match["code"], *map(int, match.group("decidable", "caught", "undecidable")))
            for match in _lines(FOLDER / "figures.txt", _FIGURES)
        ),
        tuple(
            Doubt(match["code"], match["reason"], int(match["mutants"]), int(match["caught"]))
            for match in _lines(FOLDER / "doubts.txt", _DOUBT)
        ),
    )


def _lines(path: Path, form: re.Pattern[str]) -> list[re.Match[str]]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), 1):
        match = form.fullmatch(line)
        if match is None:
            raise ValueError(f"{path.name}, line {number}: {line}")
        found.append(match)
    return found


def write(record: Record) -> None:
    for name, lines in (("figures.txt", record.figures), ("doubts.txt", record.doubts)):
        (FOLDER / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def difference(before: Sequence[Figures], now: Sequence[Figures]) -> list[str]:
    """The lines of a diff from the figures that are written down to those of now."""
    lines = [f"- {each}" for each in before if each not in now] + [f"+ {each}" for each in now if each not in before]
    return sorted(lines, key=lambda line: (line.split()[1:3], line[0] == "+"))


def by_rule(figures: Iterable[Figures]) -> list[Figures]:
    """The sums of each rule, under the package's name `all`."""
    sums: dict[str, Counter[str]] = {}
    for each in figures:
        of_rule = sums.setdefault(each.code, Counter())
        of_rule.update(decidable=each.decidable, caught=each.caught, undecidable=each.undecidable)
    return [
        Figures("all", code, of_rule["decidable"], of_rule["caught"], of_rule["undecidable"])
        for code, of_rule in sorted(sums.items())
    ]
