# SPDX-License-Identifier: Apache-2.0
"""What is known of a question before it is answered, and whom it borrows strength from."""

from dataclasses import dataclass

#: Ends of the horizon buckets, days: a week, a month or two, a season, beyond.
HORIZONS = (10.0, 60.0, 120.0)

#: How the name of a category's group begins.
CATEGORY = "category:"


@dataclass(frozen=True, slots=True)
class Context:
    """Where a question comes from.

    ``kind`` is the widest class (market, dataset, tournament, sports, ...),
    ``source`` the platform or data provider, ``category`` the topic.
    ``horizon_days`` counts to a *scheduled* resolution and is None where only
    the event itself ends the question: the day on which a market was resolved
    early tells its outcome. ``regime`` names the state of the market, if any.
    """

    kind: str = ""
    source: str = ""
    category: str = ""
    horizon_days: float | None = None
    regime: str = ""

    @property
    def horizon(self) -> str:
        """Name of the horizon's bucket; empty where there is no scheduled end."""
        if self.horizon_days is None:
            return ""
        for end in HORIZONS:
            if self.horizon_days <= end:
                return f"<={end:g}d"
        return f">{HORIZONS[-1]:g}d"

    @property
    def chain(self) -> tuple[str, ...]:
        """The groups that the question belongs to, widest first; empty names are left out."""
        chain = [""]
        if self.kind:
            chain.append(f"kind:{self.kind}")
        if self.source:
            chain.append(f"source:{self.source}")
        if self.source and self.horizon:
            chain.append(f"source:{self.source}/{self.horizon}")
        if self.category:
            chain.append(f"{CATEGORY}{self.category}")
        return tuple(chain)
