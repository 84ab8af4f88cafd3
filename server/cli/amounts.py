# SPDX-License-Identifier: Apache-2.0
"""Amounts and spans from the command line."""

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation

import typer

_SPAN = re.compile(r"([1-9]\d{0,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def dollars(text: str) -> Decimal:
    """An amount of US dollars, 0 or more.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(-1)
    if not (amount.is_finite() and amount >= 0):
        raise typer.BadParameter(f"{text!r} is no amount; write US dollars, for example 12.50")
    return amount


def span(text: str) -> timedelta | None:
    """A span of time; None for an empty text.

    Raises:
        typer.BadParameter: it is none.
    """
    if not text:
        return None
    found = _SPAN.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no span; write a number and s, m, h, d or w, for example 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
