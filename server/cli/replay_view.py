# SPDX-License-Identifier: Apache-2.0
"""A replay as lines, and its summary."""

from collections import Counter
from datetime import UTC, datetime
from typing import Protocol

from rich.table import Table
from rich.text import Text

from consilience import MarketFeatures, MarketNotice, MarketReply, MarketSignal
from server.cli import looks
from server.cli.plain import plain, write_json_line
from server.cli.smoothed import Judgement
from server.cli.tally import Tally

_ARROWS = {"UP": ("▲ UP", "green"), "DOWN": ("▼ DOWN", "red"), "NEUTRAL": ("· NEUTRAL", "dim")}
_NAMES = {"MarketSignal": "signal", "MarketFeatures": "features", "MarketNotice": "notice"}


class View(Protocol):
    """Shows a replay."""

    def show(self, reply: MarketReply, tally: Tally) -> None:
        """One reply."""
        ...

    def finish(self, tally: Tally) -> None:
        """The summary."""
        ...


class Silent:
    """Only notices, each once, and the summary."""

    def __init__(self) -> None:
        self._console = looks.console()
        self._noticed: set[tuple[str, str]] = set()

    def show(self, reply: MarketReply, tally: Tally) -> None:
        """One reply, if it is a notice that says something new; the summary counts them all."""
        del tally
        if isinstance(reply, MarketNotice) and (reply.kind, reply.detail) not in self._noticed:
            self._noticed.add((reply.kind, reply.detail))
            self._console.print(notice_line(reply), soft_wrap=True)

    def finish(self, tally: Tally) -> None:
        """The summary as a table."""
        self._console.print(summary_table(tally))


class Lines(Silent):
    """Every reply is a line."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def show(self, reply: MarketReply, tally: Tally) -> None:
        """One reply."""
        if self._as_json:
            write_json_line({"event": _NAMES[type(reply).__name__], **plain(reply)})
        elif isinstance(reply, MarketSignal):
            self._console.print(signal_line(reply, tally.tick_size), soft_wrap=True)
        elif not isinstance(reply, MarketFeatures):
            super().show(reply, tally)

    def finish(self, tally: Tally) -> None:
        """The summary."""
        if self._as_json:
            write_json_line({"event": "summary", **tally.summary()})
        else:
            super().finish(tally)


def clock(event_time_us: int) -> str:
    """Exchange time to the millisecond."""
    return f"{datetime.fromtimestamp(event_time_us / 1e6, UTC):%H:%M:%S.%f}"[:-3]


def signal_line(signal: MarketSignal, tick_size: float) -> Text:
    """A signal in one line."""
    bid, ask = signal.best_bid_ticks * tick_size, signal.best_ask_ticks * tick_size
    digits = decimals(tick_size)
    text = Text(f"{clock(signal.event_time_us)} {signal.symbol} #{signal.sequence:<7}")
    text.append(f" {bid:.{digits}f} / {ask:.{digits}f}  ", "dim")
    if not signal.warm:
        return text.append("warming up", "dim italic")
    if not signal.direction:
        return text.append(silence(signal), "dim italic")
    name, style = _ARROWS.get(signal.direction, (signal.direction, ""))
    text.append(f"{name:10}", style).append(f"{signal.confidence:4.0%} ")
    text.append(f" next {signal.horizon_updates} updates", "dim")
    text.append(f"  {signal.decision.action}", looks.ACTION_STYLES.get(signal.decision.action, ""))
    if signal.should_trade:
        text.append("  trade", "bold")
    elif signal.direction in ("UP", "DOWN"):
        text.append(f"  {signal.not_traded_reason}", "dim")
    return text.append(f"  {looks.duration(signal.latency_s)}", "dim")


def silence(signal: MarketSignal) -> str:
    """Why there is no direction."""
    if any(part.forecast is not None for part in signal.members):
        return "no network is sure enough"
    reasons = Counter(part.absent.reason for part in signal.members if part.absent is not None)
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return f"nobody answered: {listed or 'none was asked'}"


def decimals(tick_size: float) -> int:
    """Digits after the point that show one tick."""
    digits = f"{tick_size:.12f}".rstrip("0").partition(".")[2]
    return len(digits)


def notice_line(notice: MarketNotice) -> Text:
    """A notice in one line."""
    return Text(f"{clock(notice.event_time_us)} {notice.symbol} {notice.kind}: {notice.detail}", "yellow")


def summary_table(tally: Tally) -> Table:
    """The summary, one figure a row."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("Sent", f"{tally.sent:,} events")
    table.add_row("Signals", f"{tally.signals:,}, of them {tally.cold:,} while warming up")
    for name, counts in (("Directions", tally.directions), ("Decisions", tally.actions)):
        table.add_row(
            name,
            ", ".join(f"{key or 'no answer'} {count:,}" for key, count in counts.most_common()) or "none",
        )
    p50, p99 = looks.duration(tally.latency_s(0.50)), looks.duration(tally.latency_s(0.99))
    table.add_row("Latency", f"p50 {p50}, p99 {p99} (in the server, from update to signal)")
    if tally.judgement is not None:
        table.add_row("Right", right(tally.judgement))
    table.add_row("Came true", came_true(tally))
    if tally.notices:
        notices = ", ".join(f"{kind} {count:,}" for kind, count in tally.notices.items())
        table.add_row("Notices", Text(notices, "yellow"))
    return table


def right(judgement: Judgement) -> str:
    """How many signals were right about what the networks were taught."""
    share, commonest = judgement.right / judgement.judged, judgement.commonest / judgement.judged
    return (
        f"{judgement.right:,} of {judgement.judged:,} signals about the smoothed mid price ({share:.1%}; "
        f"always saying the commonest direction: {commonest:.1%})"
    )


def came_true(tally: Tally) -> str:
    """How many signals for UP or DOWN were right."""
    judged = tally.judged()
    if not judged:
        return "no signal for UP or DOWN has reached its horizon"
    still = judged - tally.hits() - tally.misses()
    return (
        f"{tally.hits():,} of {judged:,} signals for UP or DOWN ({tally.hits() / judged:.1%}); "
        f"the mid price went the other way {tally.misses():,} times and stayed {still:,} times"
    )
