# SPDX-License-Identifier: Apache-2.0
"""Members in outage or decline are not asked for a while, and come back by proving themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from server.engine.standing import Standing

log = structlog.get_logger(__name__)


class SelectionState(StrEnum):
    """Whether selection asks a member."""

    ACTIVE = "active"
    PROBATION = "probation"
    DESELECTED = "deselected"


#: An outage: of so many last attempts, this share failed.
ATTEMPTS, FAILED_SHARE = 8, 0.5
#: A decline: its Brier score is so far above the others' on the same questions; back at half of it.
DECLINE = 0.05
#: First rest of a member in outage, seconds; doubled each time that it fails its probation.
REST_S, LONGEST_REST_S = 60.0, 3600.0
#: Attempts in a row that must succeed on probation.
PROOFS = 3

#: Told of a member, its new state and why.
Listener = Callable[[str, SelectionState, str], None]


@dataclass(slots=True)
class Seat:
    """Where a member stands."""

    state: SelectionState = SelectionState.ACTIVE
    reason: str = ""
    since_s: float = 0.0
    rest_s: float = REST_S
    attempts: int = 0
    declined: bool = False


class RollCall:
    """Where each member of an ensemble stands; brought up to date whenever somebody is to be selected."""

    def __init__(self) -> None:
        self._seats: dict[str, Seat] = {}
        self.listeners: list[Listener] = []

    def seat(self, name: str) -> Seat:
        """Where a member stood when it was last looked at."""
        return self._seats.setdefault(name, Seat())

    def look(
        self, name: str, standing: Standing, now_s: float, excess: float | None = None
    ) -> SelectionState:
        """Where it stands now.

        ``excess``: its Brier score above the others' on the same questions lately, None
        while too little is known.
        """
        seat = self.seat(name)
        if seat.state is SelectionState.ACTIVE:
            self._active(name, seat, standing, now_s, excess)
        elif seat.declined:
            if excess is None or excess < DECLINE / 2:
                self._move(name, seat, SelectionState.ACTIVE, "", now_s)
        elif seat.state is SelectionState.DESELECTED:
            if now_s - seat.since_s >= seat.rest_s:
                seat.attempts = standing.attempts
                self._move(name, seat, SelectionState.PROBATION, f"after {seat.reason}", now_s)
        else:
            self._probation(name, seat, standing, now_s)
        return seat.state

    def _active(self, name: str, seat: Seat, standing: Standing, now_s: float, excess: float | None) -> None:
        seat.declined = False
        failed = standing.failed_lately(ATTEMPTS)
        fresh = standing.attempts - seat.attempts >= ATTEMPTS
        if fresh and failed >= FAILED_SHARE * ATTEMPTS:
            reason = f"an outage: {failed} of its last {ATTEMPTS} attempts failed"
            self._move(name, seat, SelectionState.DESELECTED, reason, now_s)
        elif excess is not None and excess >= DECLINE:
            seat.declined = True
            reason = f"a decline: its Brier score is {excess:.3f} above the others' over 30 days"
            self._move(name, seat, SelectionState.PROBATION, reason, now_s)

    def _probation(self, name: str, seat: Seat, standing: Standing, now_s: float) -> None:
        tried = standing.attempts - seat.attempts
        if tried and standing.failed_lately(min(tried, PROOFS)):
            seat.rest_s = min(2.0 * seat.rest_s, LONGEST_REST_S)
            reason = "an outage: it failed on probation"
            self._move(name, seat, SelectionState.DESELECTED, reason, now_s)
        elif tried >= PROOFS:
            seat.rest_s = REST_S
            seat.attempts = standing.attempts
            self._move(name, seat, SelectionState.ACTIVE, "", now_s)

    def _move(self, name: str, seat: Seat, state: SelectionState, reason: str, now_s: float) -> None:
        seat.state, seat.reason, seat.since_s = state, reason, now_s
        log.info("member_selection", member=name, state=state.value, reason=reason)
        for listener in self.listeners:
            listener(name, state, reason)
