# SPDX-License-Identifier: Apache-2.0
"""Moves between modes: down at once, up only after things have looked better for a while."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.modes.course import Course
from server.engine.modes.health import Health
from server.engine.modes.mode import Cause, Mode, ModeStatus
from server.engine.modes.rules import NOTHING, Call, Signals, called_for
from server.engine.modes.settings import DegradationSettings
from server.engine.paid import is_free
from server.forecasting.deadline import Clock
from server.forecasting.errors import HaltedError
from server.forecasting.prediction import MemberAnswer

log = structlog.get_logger(__name__)

_NORMAL = Course(Mode.NORMAL, "")
#: Told of a change: the status before and after. Must neither block nor raise.
ModeListener = Callable[[ModeStatus, ModeStatus], None]


class ModeControl:
    """The mode of one server. ``budget_left``: the money port, a share 0..1 or None."""

    def __init__(
        self,
        ensembles: Ensembles,
        settings: DegradationSettings,
        clock: Clock,
        budget_left: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._ensembles = ensembles
        self._settings = settings
        self._clock = clock
        self._budget_left = budget_left
        self._health = Health(settings.window_s)
        self._listeners: list[ModeListener] = []
        self._status = ModeStatus(Mode.NORMAL, NOTHING.reason, clock.now())
        self._moved_s = clock.monotonic()
        self._better_since_s: float | None = None
        self._outage_since_s: float | None = None
        self._next_trial_s = 0.0
        self._next_look_s = 0.0

    @property
    def mode(self) -> Mode:
        """The mode now."""
        return self._status.mode

    @property
    def status(self) -> ModeStatus:
        """The mode, why, and what is measured now."""
        return replace(self._status, measured=self._signals().measured)

    def listen(self, listener: ModeListener) -> None:
        """Tell of every change from now on."""
        self._listeners.append(listener)

    def saw(self, members: Sequence[MemberAnswer], *, in_full: bool) -> None:
        """Take in what became of the members of one prediction."""
        self._health.saw(members, self._clock.monotonic(), in_full=in_full)

    def saved(self, *, good: bool) -> None:
        """Take in whether a record was written as it was to be."""
        self._health.records.add(self._clock.monotonic(), good=good)

    def course(self) -> Course:
        """How the next request is to be answered.

        Raises:
            HaltedError: not at all.
        """
        now_s = self._clock.monotonic()
        if now_s >= self._next_look_s:
            self.look()
        status = self._status
        if status.mode is Mode.NORMAL:
            return _NORMAL
        trial = self._trial(now_s)
        mode = status.mode if trial is None else trial
        if mode is Mode.HALT:
            raise HaltedError("halt", f"the server has halted: {status.reason}")
        return Course(mode, status.reason, self._settings.reduced_members, self._is_fit)

    def _trial(self, now_s: float) -> Mode | None:
        """A better mode for this one request, to find out whether things have changed."""
        status = self._status
        if now_s < self._next_trial_s:
            return None
        if status.cause is Cause.MEMBERS and status.mode > Mode.REDUCED:
            better = Mode.NORMAL
        elif status.cause is Cause.RECORDS and status.mode is Mode.HALT:
            better = Mode.MARKET_ONLY
        else:
            return None
        self._next_trial_s = now_s + self._settings.trial_s
        return better

    def set(self, mode: Mode | None, reason: str = "", seconds: float | None = None) -> ModeStatus:
        """Set the mode by hand, for so long or until the next call; None gives it back to the server."""
        if mode is None:
            self._move(called_for(self._signals(), self._settings) if self._settings.enabled else NOTHING)
            return self.status
        until = None if seconds is None else self._clock.now() + timedelta(seconds=seconds)
        self._move(Call(mode, Cause.OPERATOR, reason or "set by an operator"))
        self._status = replace(self._status, until_time=until)
        return self.status

    def look(self) -> None:
        """Measure, and move where that is called for."""
        now_s = self._clock.monotonic()
        self._next_look_s = now_s + self._settings.look_s
        status = self._status
        if status.manual:
            if status.until_time is None or self._clock.now() < status.until_time:
                return
            self.set(None)
            return
        if not self._settings.enabled:
            return
        signals = self._signals()
        self._note_outage(signals, now_s)
        call = called_for(signals, self._settings)
        if call.mode > status.mode:
            self._move(call)
        else:
            self._recover(called_for(signals, self._settings, self._settings.recovery), now_s)

    def _recover(self, call: Call, now_s: float) -> None:
        if call.mode >= self._status.mode or self._nobody_has_answered():
            self._better_since_s = None
            return
        if self._better_since_s is None:
            self._better_since_s = now_s
        if now_s - self._better_since_s >= self._settings.dwell_s:
            self._move(call)

    def _nobody_has_answered(self) -> bool:
        """In an outage: no paid member has answered since it began. That nobody was asked says nothing."""
        if self._status.cause is not Cause.MEMBERS or self._status.mode <= Mode.REDUCED:
            return False
        paid = self._paid()
        return bool(paid) and not any(self._health.answered_since(name, self._moved_s) for name in paid)

    def _move(self, call: Call) -> None:
        before = self._status
        self._better_since_s = None
        self._status = ModeStatus(call.mode, call.reason, self._clock.now(), call.cause)
        now_s = self._clock.monotonic()
        self._next_trial_s = now_s + self._settings.trial_s
        if (call.mode, call.cause) == (before.mode, before.cause):
            self._status = replace(self._status, since_time=before.since_time)
            return
        self._moved_s = now_s
        log.warning(
            "mode_changed", mode=call.mode.name.lower(), before=before.mode.name.lower(), reason=call.reason
        )
        for listener in self._listeners:
            listener(before, self._status)

    def _note_outage(self, signals: Signals, now_s: float) -> None:
        out = (
            signals.paid
            and signals.in_trouble >= self._settings.outage_share * self._settings.recovery * signals.paid
        )
        if not out:
            self._outage_since_s = None
        elif self._outage_since_s is None:
            self._outage_since_s = now_s

    def _signals(self) -> Signals:
        now_s = self._clock.monotonic()
        paid = self._paid()
        since_s = self._outage_since_s
        return Signals(
            paid=len(paid),
            in_trouble=sum(not self._is_fit(ensemble, name) for name, ensemble in paid.items()),
            outage_s=0.0 if since_s is None else now_s - since_s,
            failed_records=self._health.failed_records_share(now_s, self._settings.min_records),
            budget_left=self._budget_left(),
        )

    def _paid(self) -> dict[str, Ensemble]:
        """Every paid member that is switched on somewhere, with an ensemble that has it."""
        return {
            member.name: ensemble
            for ensemble in self._ensembles
            for member in ensemble.spec.members
            if member.enabled and not is_free(ensemble.forecasters[member.name])
        }

    def _is_fit(self, ensemble: Ensemble, name: str) -> bool:
        if getattr(ensemble.forecasters[name], "circuit", "") == "open":
            return False
        share = self._health.failure_share(name, self._clock.monotonic(), self._settings.min_calls)
        return share < self._settings.member_failure_share

    async def run(self) -> None:
        """Look again and again, until cancelled, so that the status is right also while nobody asks."""
        while True:
            await asyncio.sleep(self._settings.look_s)
            self.look()
