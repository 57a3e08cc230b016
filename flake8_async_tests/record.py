"""`record`: a class of a few values, such as `dataclasses.dataclass(frozen=True)` makes one.

It does what is needed here at a fraction of the price: with dataclasses, to make some sixty such classes took a third
of the time that it takes to import the plugin, and each object twice as long.
"""

from __future__ import annotations

from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING_BY_NAME: Mapping[str, Any] = MappingProxyType({})
"""For a value that is an empty mapping unless it is given."""

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True)
def record(made: _Class) -> _Class:
    """A class whose objects are equal when all their values are, and are never changed: type checkers see to that."""
    names = _give_constructor(made)
    values = attrgetter(*names)

    def equals(self: Any, other: object) -> bool:
        return self is other or (other.__class__ is made and values(self) == values(other))

    def hashed(self: Any) -> int:
        return hash(values(self))

    made.__eq__ = equals  # type: ignore[assignment]  # mypy knows of no class that is still being made
    made.__hash__ = hashed  # type: ignore[assignment]  # as above
    return made


@dataclass_transform(frozen_default=True, eq_default=False)
def unique_record(made: _Class) -> _Class:
    """The same, of objects that are each equal to themselves alone."""
    _give_constructor(made)
    return made


def _give_constructor(made: type) -> tuple[str, ...]:
    """Give a class its constructor, and say what its values are called."""
    names = tuple(made.__annotations__)
    body = "".join(f"    self.{name} = {name}\n" for name in names)
    namespace: dict[str, Any] = {}
    exec(f"def __init__(self, {', '.join(names)}):\n{body}", namespace)  # of names in this package
    constructor = namespace["__init__"]
    # Those that have a default come last.
    constructor.__defaults__ = tuple(vars(made)[name] for name in names if name in vars(made))
    made.__init__ = constructor  # type: ignore[misc]  # as above

    def shown(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{made.__name__}({values})"

    made.__repr__ = shown  # type: ignore[assignment]  # as above
    return names
