# SPDX-License-Identifier: Apache-2.0
"""How an answer comes about: from the cache where that will do, else from those whom the mode allows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from server.engine.caching.answers import AnswerCache, Inquiry
from server.engine.events import Arrived, Listener, Started
from server.engine.modes.control import ModeControl
from server.engine.modes.course import Course
from server.engine.modes.mode import Mode
from server.forecasting.ensemble import Durability, Plan
from server.forecasting.errors import RecordError
from server.forecasting.forecast import NOT_ASKED
from server.forecasting.prediction import MemberAnswer, Prediction

#: Asks the members of a plan, pays and records; the text is what the caller should know of the plan.
Ask = Callable[[Plan, str], Awaitable[Prediction]]

_FREELY = Course(Mode.NORMAL, "")


class Answering:
    """The way from a request to an answer, past the cache and the mode of operation."""

    def __init__(self, cache: AnswerCache | None = None, modes: ModeControl | None = None) -> None:
        self.cache = cache
        self.modes = modes

    async def answer(self, inquiry: Inquiry, plan: Plan, ask: Ask) -> Prediction:
        """The answer, recorded; one from the cache is not, and has no id.

        Raises:
            HaltedError: the mode leaves nobody to ask.
        """
        course = _FREELY if self.modes is None else self.modes.course()

        async def ask_those_allowed() -> Prediction:
            chosen = bool(inquiry.request.options.members)
            fewer = course.narrow(inquiry.ensemble, plan, chosen=chosen)
            return await ask(fewer, "" if fewer is plan else course.warning(plan, fewer))

        cache = self.cache
        if cache is None or not course.uses_cache or not inquiry.ensemble.costs:
            return await ask_those_allowed()
        if course.mode is not Mode.NORMAL:
            inquiry = replace(inquiry, stale=course.stale, whole=False)
        return await cache.answer(inquiry, ask_those_allowed)

    def saw(self, members: Sequence[MemberAnswer], *, in_full: bool) -> None:
        """What became of the members of one prediction."""
        if self.modes is not None:
            self.modes.saw(members, in_full=in_full)

    async def recorded(self, recording: Awaitable[Prediction], durability: Durability) -> Prediction:
        """Wait for a record, and note whether it was on disk in time."""
        try:
            prediction = await recording
        except RecordError:
            self._note(good=False)
            raise
        if durability is not Durability.NONE:
            self._note(good=prediction.durable)
        return prediction

    def _note(self, *, good: bool) -> None:
        if self.modes is not None:
            self.modes.saved(good=good)


def retell(prediction: Prediction, listener: Listener) -> None:
    """Tell a listener of an answer that was made before, as if it had been there."""
    asked = [m for m in prediction.members if m.absent is None or m.absent.reason not in NOT_ASKED]
    listener(Started(prediction.id, tuple(m.member for m in asked), prediction.outcomes))
    for member in asked:
        listener(Arrived(member, None))
