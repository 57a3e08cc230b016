"""`lazy`: an attribute that is worked out when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import cached_property as lazy
else:

    class lazy:  # noqa: N801  # used as a decorator
        """What `functools.cached_property` does, at half its price.

        That one goes through the instance's dictionary, which most instances do not have until somebody asks for it.
        """

        __slots__ = ("_name", "_work_out")

        def __init__(self, work_out: Callable[[Any], object]) -> None:
            self._work_out = work_out

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: object, owner: type | None = None) -> object:
            if instance is None:
                return self
            value = self._work_out(instance)
            setattr(instance, self._name, value)
            return value


__all__ = ["lazy"]
