"""What was found in each package and what a reader said of it: the files in `findings/`.

A line of such a file is a finding with its verdict, and why, which a false alarm needs:

    AT603 right tests/test_client.py:818:5
    AT205 false plugin.py:1099:1 # the plugin's own fixture, which the rule is about
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FINDINGS = Path(__file__).parent / "findings"

Verdict = Literal["right", "false", "unreviewed"]

LINE = re.compile(
    rf"(?P<code>AT\d{{3}}) (?P<verdict>{'|'.join(get_args(Verdict))}) (?P<path>\S.*?):(?P<line>\d+):(?P<column>\d+)"
    r"(?: # (?P<why>\S.*))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A finding, by its place in a file that never changes."""

    path: str
    line: int
    column: int
    code: str

    def __str__(self) -> str:
        return f"{self.code} {self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding, and what somebody who read the code there says of it."""

    found: Found
    verdict: Verdict
    why: str | None = None

    def __str__(self) -> str:
        place = str(self.found).removeprefix(f"{self.found.code} ")
        return f"{self.found.code} {self.verdict} {place}{f' # {self.why}' if self.why else ''}"


def read_record(text: str) -> list[Judged]:
    judged = []
    for number, line in enumerate(text.splitlines(), 1):
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is no finding with a verdict: {line}")
        verdict, why = cast("Verdict", match["verdict"]), match["why"]
        if verdict == "false" and not why:
            raise ValueError(f"line {number} does not say why it is a false alarm: {line}")
        found = Found(match["path"], int(match["line"]), int(match["column"]), match["code"])
        judged.append(Judged(found, verdict, why))
    return judged


def write_record(judged: Iterable[Judged]) -> str:
    return "".join(f"{each}\n" for each in sorted(judged, key=lambda each: each.found))


def recorded(package: str) -> list[Judged]:
    """What is known of a package; where there is no file, nothing was found."""
    path = FINDINGS / f"{package}.txt"
    return read_record(path.read_text(encoding="utf-8")) if path.exists() else []


def all_recorded(packages: Iterable[str]) -> dict[str, list[Judged]]:
    return {package: recorded(package) for package in packages}


def record(package: str, found: Iterable[Found]) -> None:
    """Write down what is found now: with the verdict that a finding has already, else as not reviewed yet."""
    known = {each.found: each for each in recorded(package)}
    now = [known.get(each, Judged(each, "unreviewed")) for each in found]
    path = FINDINGS / f"{package}.txt"
    if now:
        path.write_text(write_record(now), encoding="utf-8", newline="\n")
    else:
        path.unlink(missing_ok=True)


def difference(before: Sequence[Judged], now: Mapping[Found, str]) -> list[str]:
    """The lines of a diff from the record to the findings of now with their messages, and of what nobody has read.

    One that has moved within its file, or that another rule reports now, is gone from one line and new on the next.
    """
    known = {each.found: each for each in before}
    lines = []
    for each in sorted(known.keys() | now.keys()):
        if each not in now:
            lines.append(f"- {known[each]}")
        elif each not in known:
            lines.append(f"+ {each} {now[each]}")
        elif known[each].verdict == "unreviewed":
            lines.append(f"? {each} {now[each]}")
    return lines
