# SPDX-License-Identifier: Apache-2.0
"""The modes of operation, best first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum


class Mode(IntEnum):
    """How freely the server asks and spends; a higher one is worse.

    NORMAL      everything works
    REDUCED     only healthy members are asked, and few of those that cost money
    CACHED_ONLY nothing is paid for: cached answers of any age, else free members
    MARKET_ONLY free members only: the market's price, networks, recordings
    HALT        nothing is answered
    """

    NORMAL = 0
    REDUCED = 1
    CACHED_ONLY = 2
    MARKET_ONLY = 3
    HALT = 4


class Cause(Enum):
    """What brought a mode about."""

    NONE = "none"
    MEMBERS = "members"
    RECORDS = "records"
    MONEY = "money"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class ModeStatus:
    """The mode, why and since when. ``until_time`` is when an operator's choice ends, None: never."""

    mode: Mode
    reason: str
    since_time: datetime
    cause: Cause = Cause.NONE
    until_time: datetime | None = None
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def manual(self) -> bool:
        """Whether an operator has set it."""
        return self.cause is Cause.OPERATOR
