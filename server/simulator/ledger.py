# SPDX-License-Identifier: Apache-2.0
"""What the simulator billed, call by call."""

from collections import deque
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in disjoint buckets; ``reasoning`` is part of ``output``."""

    input_uncached: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        """All input tokens."""
        return self.input_uncached + self.cache_read + self.cache_write

    def generated(self, share: float) -> "Usage":
        """The usage when only this share of the output was generated."""
        return replace(self, output=round(self.output * share), reasoning=round(self.reasoning * share))


@dataclass(frozen=True, slots=True)
class Prices:
    """Nano US dollars for one token. Whole numbers, so that every bill is exact."""

    input_nano_usd: int = 1_000
    cache_read_nano_usd: int = 100
    cache_write_nano_usd: int = 1_250
    output_nano_usd: int = 4_000

    def bill(self, usage: Usage) -> int:
        """Price of the tokens, nano US dollars."""
        return (
            usage.input_uncached * self.input_nano_usd
            + usage.cache_read * self.cache_read_nano_usd
            + usage.cache_write * self.cache_write_nano_usd
            + usage.output * self.output_nano_usd
        )


@dataclass(slots=True)
class Entry:
    """One call as the provider saw it. ``key`` is a fingerprint, never the key."""

    id: str
    wire: str
    model: str
    key: str
    arrived_s: float
    stream: bool = False
    fault: str = ""
    status: int = 0
    usage: Usage = field(default_factory=Usage)
    billed_nano_usd: int = 0
    outcome: str = "open"
    finished_s: float | None = None


class Ledger:
    """Every call since the start or the last reset; the newest ``keep`` in detail."""

    def __init__(self, keep: int = 100_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._by_id: dict[str, Entry] = {}
        self.calls = 0
        self.billed_nano_usd = 0

    def open(self, entry: Entry) -> None:
        """A call has arrived."""
        if len(self._entries) == self._entries.maxlen:
            self._by_id.pop(self._entries[0].id, None)
        self._entries.append(entry)
        self._by_id[entry.id] = entry
        self.calls += 1

    def settle(self, entry: Entry, *, outcome: str, finished_s: float, nano_usd: int = 0) -> None:
        """A call has ended, one way or another, and cost this much."""
        entry.outcome = outcome
        entry.finished_s = finished_s
        entry.billed_nano_usd = nano_usd
        self.billed_nano_usd += nano_usd

    def find(self, entry_id: str) -> Entry | None:
        """The call with this id."""
        return self._by_id.get(entry_id)

    def entries(self, model: str = "") -> list[Entry]:
        """Calls in order of arrival, all or one model's."""
        return [entry for entry in self._entries if not model or entry.model == model]

    def reset(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._by_id.clear()
        self.calls = self.billed_nano_usd = 0

    def report(self, model: str = "") -> dict[str, Any]:
        """The ledger as JSON."""
        entries = self.entries(model)
        return {
            "calls": len(entries) if model else self.calls,
            "billed_nano_usd": sum(e.billed_nano_usd for e in entries) if model else self.billed_nano_usd,
            "entries": [asdict(entry) for entry in entries],
        }
