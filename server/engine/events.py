# SPDX-License-Identifier: Apache-2.0
"""What happens while a prediction is made."""

from collections.abc import Callable
from dataclasses import dataclass

from server.forecasting.pooling import Pooled
from server.forecasting.prediction import MemberAnswer


@dataclass(frozen=True, slots=True)
class Started:
    """Members are about to be asked."""

    prediction_id: str
    members: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """The consensus of those who have answered so far."""

    outcomes: tuple[str, ...]
    pooled: Pooled
    settled: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """A member has answered, or will not; ``running`` is None while nobody has answered."""

    member: MemberAnswer
    running: Running | None


Event = Started | Arrived
#: Called on the event loop as things happen; must neither block nor raise.
Listener = Callable[[Event], None]
