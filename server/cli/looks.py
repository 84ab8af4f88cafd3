# SPDX-License-Identifier: Apache-2.0
"""How figures look to a person."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import IO, cast

from rich.console import Console
from rich.text import Text

from consilience import Agreement, Cost, DecisionAction, Interval

NOT_AVAILABLE = "n/a"
#: From this many columns on, tables show who is behind a name.
WIDE = 112
ACTION_STYLES = {
    DecisionAction.PROCEED: "bold green",
    DecisionAction.REDUCE: "bold yellow",
    DecisionAction.ABSTAIN: "bold red",
}
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_PIPE_WIDTH = 160


def console() -> Console:
    """Standard output; wide enough for every table where it is not a terminal.

    Names, questions and answers are others' words: brackets and colons in them mean nothing.
    """
    if sys.stdout.isatty():
        return Console(highlight=False, markup=False, emoji=False)
    trimmed = cast("IO[str]", _Trimmed(sys.stdout))
    return Console(file=trimmed, width=_PIPE_WIDTH, highlight=False, markup=False, emoji=False)


class _Trimmed:
    """A stream whose lines end where their words do: what fills up a table's last column is no text."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write whole lines, as ``rich`` does."""
        self._stream.write("\n".join(line.rstrip(" ") for line in text.split("\n")))
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def percent(share: float | None, digits: int = 1) -> str:
    """A share as per cent."""
    return NOT_AVAILABLE if share is None else f"{share:.{digits}%}"


def bar(share: float, cells: int = 12) -> str:
    """A bar of ``cells`` characters, filled to ``share`` (0..1), to an eighth of a character."""
    eighths = round(max(0.0, min(1.0, share)) * cells * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(cells)


def spark(shares: Sequence[float]) -> str:
    """A line of shares (0..1), one character each."""
    return "".join(_HEIGHTS[min(7, int(max(0.0, share) * 8))] for share in shares)


def duration(seconds: float | None) -> str:
    """A time that a person can read."""
    if seconds is None:
        return NOT_AVAILABLE
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1.0:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.2f} s"


def money(cost: Cost | None) -> str:
    """An amount; one from a declared model of costs says so."""
    if cost is None:
        return NOT_AVAILABLE
    mark = {"estimate": " est.", "simulated": " sim."}.get(cost.source, "")
    digits = 4 if cost.usd >= 0.01 else 6 if cost.usd >= 0.0001 else 9
    return f"${cost.usd:.{digits}f}".rstrip("0").rstrip(".") + mark


def window(span: timedelta) -> str:
    """A span in the largest unit that fits: 1 d, 12 h, 90 s."""
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def points(share: float) -> str:
    """A change of a probability, in percentage points."""
    return f"{share * 100:+.1f} pp"


def range_of(interval: Interval | None) -> str:
    """An interval with its level and method."""
    if interval is None:
        return "no interval"
    span = f"{interval.low * 100:.0f} to {interval.high:.0%}"
    return f"{interval.level:.0%} interval {span}, by {interval.method}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number of things: 1 answer, 2 answers."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def agreement_line(agreement: Agreement) -> str:
    """How much the members agree, in one line."""
    independent = agreement.independent_members
    return (
        f"{percent(agreement.vote_share, 0)} of {counted(agreement.answered, 'answer')}"
        f" ({agreement.asked} asked) · dispersion {agreement.dispersion:.3f} nats"
        f" · effective members {agreement.effective_members:.1f}"
        + ("" if independent is None else f", worth {independent:.1f} independent ones")
    )


def action_text(action: DecisionAction) -> Text:
    """A verdict in its colour."""
    return Text(action.upper(), ACTION_STYLES.get(action, ""))
