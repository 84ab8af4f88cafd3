# SPDX-License-Identifier: Apache-2.0
"""Counts of a replay: signals, directions, latencies, and whether the signals came true."""

from collections import Counter
from dataclasses import dataclass, field

from consilience import MarketNotice, MarketReply, MarketSignal
from server.cli.smoothed import Judgement, judge
from server.recordings.book_files import BookRows

_SIGNS = {"UP": 1, "DOWN": -1}


@dataclass
class Tally:
    """What has come back so far."""

    tick_size: float
    sent: int = 0
    signals: int = 0
    cold: int = 0
    directions: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    judgement: Judgement | None = None
    _calls: list[tuple[int, str, int]] = field(default_factory=list)
    _open: list[MarketSignal] = field(default_factory=list)
    _moves: list[tuple[int, int]] = field(default_factory=list)

    def count(self, reply: MarketReply) -> None:
        """Take a reply in."""
        if isinstance(reply, MarketNotice):
            self.notices[reply.kind.value] += 1
        elif isinstance(reply, MarketSignal):
            self._count_signal(reply)

    def _count_signal(self, signal: MarketSignal) -> None:
        self._resolve(signal)
        self.signals += 1
        self.latencies_s.append(signal.latency_s)
        if not signal.warm:
            self.cold += 1
            return
        self.directions[signal.direction] += 1
        self.actions[signal.decision.action.value] += 1
        self._open.append(signal)
        self._calls.append((signal.sequence, signal.direction, signal.horizon_updates))

    def judge(self, book: BookRows) -> None:
        """Judge all signals by the recording's own books."""
        self.judgement = judge(self._calls, book)

    def _resolve(self, later: MarketSignal) -> None:
        """Judge the signals whose horizon this one has reached: the first to reach it counts."""
        due = [each for each in self._open if each.sequence + each.horizon_updates <= later.sequence]
        for signal in due:
            move = later.mid_ticks - signal.mid_ticks
            self._moves.append((_SIGNS.get(signal.direction, 0), (move > 0) - (move < 0)))
        self._open = [each for each in self._open if each not in due]

    def latency_s(self, share: float) -> float | None:
        """The latency that a ``share`` of the signals did not exceed; None without signals."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None

    def judged(self) -> int:
        """Signals for UP or DOWN whose horizon has been reached."""
        return sum(said != 0 for said, _ in self._moves)

    def hits(self) -> int:
        """Of those: the mid price had moved that way."""
        return sum(said != 0 and said == came for said, came in self._moves)

    def misses(self) -> int:
        """Of those: it had moved the other way. The rest had not moved at all."""
        return sum(said != 0 and came == -said for said, came in self._moves)

    def summary(self) -> dict[str, object]:
        """All of it, by name."""
        judged = self.judged()
        moved = sum(came != 0 for _, came in self._moves)
        return {
            "sent": self.sent,
            "signals": self.signals,
            "cold": self.cold,
            "directions": dict(self.directions),
            "actions": dict(self.actions),
            "notices": dict(self.notices),
            "latency_p50_s": self.latency_s(0.50),
            "latency_p99_s": self.latency_s(0.99),
            "smoothed_judged": self.judgement.judged if self.judgement else 0,
            "smoothed_right": self.judgement.right if self.judgement else 0,
            "judged": judged,
            "hits": self.hits(),
            "misses": self.misses(),
            "hit_rate": self.hits() / judged if judged else None,
            "moved_rate": moved / len(self._moves) if self._moves else None,
        }
