# SPDX-License-Identifier: Apache-2.0
"""The engine: one question to one ensemble, one answer inside the deadline, one record of it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.events import Listener, Started
from server.engine.gathering import CHOICES, gather
from server.engine.identify import identify
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.engine.selecting import plan_for
from server.engine.verdict import conclude
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.ensemble import Plan
from server.forecasting.errors import DeadlineError, NoAnswerError
from server.forecasting.forecast import absence_reasons
from server.forecasting.ports import PredictionObserver, QuestionCatalogue
from server.forecasting.prediction import Prediction, PredictionRecord
from server.forecasting.query import Query
from server.forecasting.question import Question


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``reply_margin_s`` is kept back from every deadline for pooling, the record and the reply."""

    code_version: str
    reply_margin_s: float = 0.15


class PredictionEngine:
    """Asks ensembles. One instance serves every face of the process."""

    def __init__(
        self,
        ensembles: Ensembles,
        catalogue: QuestionCatalogue,
        recorder: Recorder,
        observers: Sequence[PredictionObserver],
        clock: Clock,
        settings: EngineSettings,
    ) -> None:
        self._ensembles = ensembles
        self._catalogue = catalogue
        self._recorder = recorder
        self._observers = observers
        self._clock = clock
        self._settings = settings
        self.in_flight = 0
        self.answered = 0
        self.last: Prediction | None = None

    async def predict(self, request: PredictionRequest, listener: Listener | None = None) -> Prediction:
        """Answer one question; ``listener`` is told of every step.

        The same ``request_id`` of the same caller gives the stored answer; a
        second call while the first is under way waits for it.

        Raises:
            InvalidRequestError: a wish or the question breaks a rule.
            NotFoundError: the ensemble, a member or the question id is not known.
            DeadlineError: no time was left to begin with.
            NoAnswerError: every member was absent.
            PluginError: a plugged-in pooling or selection is broken.
        RecordError: the answer could not be made durable and was to be.
        """
        self.in_flight += 1
        try:
            return await self._recorder.once(
                request.caller, request.request_id, lambda: self._answer(request, listener)
            )
        finally:
            self.in_flight -= 1

    async def _answer(self, request: PredictionRequest, listener: Listener | None) -> Prediction:
        ensemble = self._ensembles.get(request.options.ensemble)
        try:
            prediction = await self._answer_with(ensemble, request, listener)
        except Exception as error:
            self._observe_failure(ensemble.spec.name, error)
            raise
        self._observe(prediction)
        return prediction

    async def _answer_with(
        self, ensemble: Ensemble, request: PredictionRequest, listener: Listener | None
    ) -> Prediction:
        begun_s = self._clock.monotonic()
        question = identify(request.question, self._catalogue)
        plan = plan_for(ensemble, request.options, question, CHOICES)
        deadline = self._deadline(plan, request.deadline)
        prediction_id = new_id(self._clock)
        if listener is not None:
            listener(Started(prediction_id, tuple(m.name for m in plan.members), question.outcomes))
        create_time = self._clock.now()
        consensus = await gather(
            ensemble,
            plan,
            self._query(plan, question, request),
            deadline.earlier(self._settings.reply_margin_s),
            listener,
        )
        prediction = conclude(consensus, prediction_id, create_time, self._settings.code_version)
        prediction = replace(
            prediction,
            request_id=request.request_id,
            tags=dict(request.options.tags),
            elapsed_s=self._clock.monotonic() - begun_s,
        )
        for member in prediction.members:
            ensemble.standings[member.member].add(member)
        if not prediction.probabilities:
            raise NoAnswerError(absence_reasons({m.member: m.answer for m in prediction.members}))
        record = PredictionRecord(prediction, question, request.caller)
        return await self._recorder.record(record, plan.spec.durability, deadline)

    def _deadline(self, plan: Plan, own: Deadline | None) -> Deadline:
        """When the reply must leave: the earliest of the caller's, the request's and the configured."""
        configured = Deadline.after(plan.spec.deadline_s, self._clock)
        deadline = configured if own is None else own.within(plan.spec.deadline_s)
        remaining_s = deadline.remaining_s()
        if remaining_s <= self._settings.reply_margin_s:
            raise DeadlineError(
                f"{remaining_s:.3f} s are left; a prediction needs more than the reply margin of "
                f"{self._settings.reply_margin_s:g} s"
            )
        return deadline

    def _query(self, plan: Plan, question: Question, request: PredictionRequest) -> Query:
        return Query(
            question=replace(question, resolution=None) if question.resolution else question,
            share_market_price=request.options.share_market_price or plan.spec.share_market_price,
            caller=request.caller,
            tags=request.options.tags,
            keys=request.keys,
        )

    def _observe(self, prediction: Prediction) -> None:
        self.answered += 1
        self.last = prediction
        for observer in self._observers:
            observer.predicted(prediction)

    def _observe_failure(self, name: str, error: Exception) -> None:
        for observer in self._observers:
            observer.failed(name, getattr(error, "reason", "internal"))


def new_id(clock: Clock) -> str:
    """A unique id that sorts by time: 12 hexadecimal digits of milliseconds, 16 random ones."""
    return f"{int(clock.now().timestamp() * 1000):012x}{secrets.token_hex(8)}"
