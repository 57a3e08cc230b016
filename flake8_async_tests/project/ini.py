"""Reading ini files as pytest reads them, with the line of everything.

pytest uses a small grammar of its own, which differs from configparser's: a comment starts only at the
beginning of a line, a name may not come twice, and whatever is indented continues the value above it, an
indented section header included. A file that breaks the grammar anywhere stops pytest altogether.
"""

from __future__ import annotations

COMMENT_STARTS = ("#", ";")


class IniError(Exception):
    """The text is no ini file to pytest; the message begins with the line."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


# Plain classes: a dataclass takes a millisecond to make, at every start of flake8.
class IniOption:
    """One `name = value` with the lines that continue it."""

    __slots__ = ("line", "parts")

    def __init__(self, line: int, parts: list[str]) -> None:
        self.line = line
        self.parts = parts

    @property
    def value(self) -> str:
        return "\n".join(self.parts)


class IniSection:
    """One `[section]` with its options."""

    __slots__ = ("line", "options")

    def __init__(self, line: int) -> None:
        self.line = line
        self.options: dict[str, IniOption] = {}


def parse_ini(text: str) -> dict[str, IniSection]:
    """The sections of an ini file by name, or an IniError."""
    sections: dict[str, IniSection] = {}
    section: IniSection | None = None
    option: IniOption | None = None
    for number, raw_line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = raw_line.rstrip()
        if not line or line.lstrip().startswith(COMMENT_STARTS):
            # Neither ends the value above: an indented line below still continues it.
            continue
        header = _section_name(line)
        if header is not None:
            section = _new_section(sections, header, number)
            option = None
        elif line[0].isspace() or line[0] == "[":
            # A bracket that is never closed counts as a continuation, odd as it looks.
            if option is None:
                raise IniError(number, "continues a value, but there is none above")
            option.parts.append(line.strip())
        else:
            option = _new_option(section, line, number)
    return sections


def _section_name(line: str) -> str | None:
    if line[0] != "[":
        return None
    for start in COMMENT_STARTS:
        line = line.split(start)[0].rstrip()
    return line[1:-1] if line[-1] == "]" else None


def _new_section(sections: dict[str, IniSection], name: str, number: int) -> IniSection:
    if not name:
        raise IniError(number, "a section without a name")
    if name in sections:
        raise IniError(number, f"duplicate section {name!r}")
    sections[name] = IniSection(number)
    return sections[name]


def _new_option(section: IniSection | None, line: str, number: int) -> IniOption:
    name, separator, value = line.partition("=")
    if not separator or ":" in name:
        # `key: a = b` is the key `key`.
        name, separator, value = line.partition(":")
    if not separator:
        raise IniError(number, f"neither a section nor an option: {line!r}")
    if section is None:
        raise IniError(number, "an option above the first section")
    name, value = name.strip(), value.strip()
    if name in section.options:
        raise IniError(number, f"duplicate option {name!r}")
    section.options[name] = IniOption(number, [value] if value else [])
    return section.options[name]
