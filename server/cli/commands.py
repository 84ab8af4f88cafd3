# SPDX-License-Identifier: Apache-2.0
"""Commands and groups of commands whose help says of a flag what it does, and not that it takes a value."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, ``--help`` included."""
        return _flags_take_nothing(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its parameters, ``--help`` included."""
        return _flags_take_nothing(super().get_params(ctx))


class Commands(typer.Typer):
    """A ``Typer`` of them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Group, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """See ``Typer.command``."""
        return super().command(name, cls=Command, **settings)


def _flags_take_nothing(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
