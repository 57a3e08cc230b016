"""What was measured last, written down, and as the tables of the docs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.costs import OURS, PEERS
from tests.bench.growth import Step

RECORD = Path(__file__).parent / "record.json"


@dataclass(frozen=True, slots=True)
class Measured:
    """Some files, and what each plugin costs on them as a multiple of parsing."""

    name: str
    files: int
    seconds_to_parse: float
    ratios: dict[str, float]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that one run of the benchmark sees."""

    python: str
    versions: dict[str, str]
    measured: list[Measured]
    import_of_flake8: float
    import_of_plugin: float
    share_of_run: float
    many_files: list[Step]
    long_file: list[Step]

    def write(self, path: Path = RECORD) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_record(path: Path = RECORD) -> Record:
    found = json.loads(path.read_text(encoding="utf-8"))
    found["measured"] = [Measured(**each) for each in found["measured"]]
    for name in ("many_files", "long_file"):
        found[name] = [Step(**each) for each in found[name]]
    return Record(**found)


def table_of_peers(measured: list[Measured], versions: dict[str, str]) -> str:
    """A row for each plugin: what it costs on each group of files."""
    head = ["plugin", *(f"{each.name} ({each.files} files)" for each in measured)]
    rows = [_row(head), _row(["---", *["---:"] * len(measured)])]
    for name in sorted({OURS, *PEERS} & versions.keys(), key=lambda name: (name != OURS, name)):
        title = f"**{name}**" if name == OURS else f"{name} {versions[name]}"
        rows.append(_row([title, *(_number(each.ratios.get(name)) for each in measured)]))
    return "\n".join(rows)


def table_of_growth(many_files: list[Step]) -> str:
    """How cost and memory stay the same with ever more files of a project."""
    rows = [_row(["test files", "times the cost of parsing", "memory of the process"]), _row(["---:"] * 3)]
    rows += (_row([f"{step.size:,}", _number(step.ratio), f"{step.megabytes:.0f} MB"]) for step in many_files)
    return "\n".join(rows)


def table_of_length(long_file: list[Step]) -> str:
    """How the cost stays the same with an ever longer file."""
    rows = [_row(["lines of one file", "times the cost of parsing"]), _row(["---:"] * 2)]
    rows += (_row([f"{step.size:,}", _number(step.ratio)]) for step in long_file)
    return "\n".join(rows)


def start_and_share(record: Record) -> str:
    return (
        f"Importing the plugin with all its rules takes {record.import_of_plugin:.0f} ms of CPU time beyond the "
        f"{record.import_of_flake8:.0f} ms of flake8 itself. Of a whole `flake8 -j1` with flake8's own checks, the "
        f"plugin takes {record.share_of_run * 100:.0f} %."
    )


def tables(record: Record) -> list[str]:
    """All that the page shows, in its order."""
    return [
        table_of_peers(record.measured, record.versions),
        start_and_share(record),
        table_of_growth(record.many_files),
        table_of_length(record.long_file),
    ]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 20 else f"{value:.2f}"
