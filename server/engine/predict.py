# SPDX-License-Identifier: Apache-2.0
"""The engine: one question to one ensemble, one answer inside the deadline, one record of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.engine.answering import Answering, retell
from server.engine.caching.answers import Inquiry
from server.engine.consensus import RunningConsensus
from server.engine.controls import restrain
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.events import Listener, Started
from server.engine.experiments import Experiments
from server.engine.gathering import CHOICES, gather
from server.engine.identify import identify
from server.engine.margin import ReplyMargin
from server.engine.pricing import Estimate, estimate
from server.engine.purse import Allowance
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.engine.requests import answered_elsewhere
from server.engine.selecting import plan_for
from server.engine.tickets import new_id
from server.engine.treasury import Account, Restraint, Treasury
from server.engine.verdict import conclude
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.ensemble import Plan
from server.forecasting.errors import DeadlineError, NoAnswerError
from server.forecasting.forecast import absence_reasons
from server.forecasting.money import BudgetStatus, Payer
from server.forecasting.ports import PredictionObserver, QuestionCatalogue
from server.forecasting.prediction import FailedPrediction, Prediction, PredictionRecord
from server.forecasting.query import Query
from server.forecasting.question import Question
from server.forecasting.transcript import Attempted, Scribe, SentPrompt, TextBounds

#: Of the ensemble's own deadline; with less, a member that is late is not to blame.
_IN_FULL = 0.8


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``reply_margin_s`` is kept back from every deadline, at least, for pooling, the record and the reply.

    ``texts``: how much of what models are sent and say goes into the record; None: nothing.
    """

    code_version: str
    reply_margin_s: float = 0.15
    texts: TextBounds | None = None


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
        treasury: Treasury | None = None,
        answering: Answering | None = None,
    ) -> None:
        self._ensembles = ensembles
        self._catalogue = catalogue
        self._recorder = recorder
        self._observers = observers
        self._clock = clock
        self._settings = settings
        self._margin = ReplyMargin(settings.reply_margin_s, clock)
        self._treasury = treasury
        self._answering = answering
        self.in_flight = 0
        self.answered = 0
        self.last: Prediction | None = None
        self.experiments: Experiments | None = None

    async def predict(self, request: PredictionRequest, listener: Listener | None = None) -> Prediction:
        """Answer one question; ``listener`` is told of every step.

        The same ``request_id`` of the same caller gives the stored answer; a
        second call while the first is under way waits for it.

        Raises:
            InvalidRequestError: a wish or the question breaks a rule.
            NotFoundError: the ensemble, a member or the question id is not known.
            DeadlineError: no time was left to begin with, or the same request is still
                being answered, here or by another server.
            NoAnswerError: every member was absent.
            PluginError: a plugged-in pooling or selection is broken.
            HaltedError: the server's mode leaves nobody to ask.
            RecordError: the answer could not be made durable and was to be.
        """
        self.in_flight += 1
        try:
            return await self._recorder.once(
                request.caller,
                request.request_id,
                lambda: self._answer(request, listener),
                self._own_deadline(request),
            )
        finally:
            self.in_flight -= 1

    async def _answer(self, request: PredictionRequest, listener: Listener | None) -> Prediction:
        if self.experiments is not None:
            request = self.experiments.drawn(request)
        ensemble = self._ensembles.get(request.options.ensemble)
        begun_s = self._clock.monotonic()
        try:
            prediction = await self._answer_with(ensemble, request, listener)
        except Exception as error:
            self._observe_failure(ensemble.spec.name, request, error, self._clock.monotonic() - begun_s)
            raise
        self._observe(prediction)
        return prediction

    async def _answer_with(
        self, ensemble: Ensemble, request: PredictionRequest, listener: Listener | None
    ) -> Prediction:
        asking = self._begin(ensemble, request)
        if self._answering is None:
            return await self._ask(asking, listener)
        inquiry = Inquiry(request, asking.question, ensemble, asking.deadline)

        async def ask(plan: Plan, note: str) -> Prediction:
            return await self._ask(replace(asking, plan=plan, note=note), listener)

        prediction = await self._answering.answer(inquiry, asking.plan, ask)
        # One from the cache has no id yet.
        return prediction if prediction.id else await self._pass_on(asking, prediction, listener)

    async def _ask(self, asking: "Asking", listener: Listener | None) -> Prediction:
        if self._treasury is None or not asking.ensemble.is_priced:
            return await self._conclude(asking, await self._gather(asking, listener))
        return await self._pay(self._treasury, asking, listener)

    async def _pass_on(
        self, asking: "Asking", prediction: Prediction, listener: Listener | None
    ) -> Prediction:
        """An answer from the cache, with an id and a record of its own."""
        prediction = replace(prediction, id=asking.query.ticket, create_time=asking.create_time)
        if listener is not None:
            retell(prediction, listener)
        return await self._record(asking, prediction)

    def _begin(self, ensemble: Ensemble, request: PredictionRequest) -> "Asking":
        """Everything that is decided before money and members come into it."""
        begun_s = self._clock.monotonic()
        question = identify(request.question, self._catalogue)
        plan = plan_for(ensemble, request.options, question, CHOICES)
        deadline = self._deadline(plan, request.deadline)
        query = self._query(plan, question, request, Scribe(begun_s, self._settings.texts))
        closing = self._margin.closing(deadline)
        return Asking(ensemble, request, question, plan, query, deadline, closing, begun_s, self._clock.now())

    async def _pay(self, treasury: Treasury, asking: "Asking", listener: Listener | None) -> Prediction:
        """Answer with members that cost money; a request that another server has is waited for."""
        async with treasury.open(asking.payer) as account:
            asking = asking.paid_by(account)
            consensus = await self._gather(asking, listener)
            while await account.is_elsewhere(asking.closing):
                stored = await answered_elsewhere(self._recorder, account, asking.deadline)
                if stored is not None:
                    return stored
                consensus = await self._gather(asking, listener)
            prediction = await self._conclude(asking, consensus)
            account.recorded = prediction.durable
            return prediction

    async def _gather(self, asking: "Asking", listener: Listener | None) -> RunningConsensus:
        plan, query = asking.plan, asking.query
        if listener is not None:
            names = tuple(member.name for member in plan.members)
            listener(Started(query.ticket, names, asking.question.outcomes))
        return await gather(asking.ensemble, plan, query, asking.closing, listener)

    async def _conclude(self, asking: "Asking", consensus: RunningConsensus) -> Prediction:
        """The answer, on record as far as was promised."""
        closed_s = self._clock.monotonic()
        prediction = conclude(consensus, asking.query.ticket, asking.create_time, self._settings.code_version)
        if asking.note:
            prediction = replace(prediction, warnings=(*prediction.warnings, asking.note))
        for member in prediction.members:
            asking.ensemble.standings[member.member].add(member)
        if self._answering is not None:
            self._answering.saw(prediction.members, in_full=asking.in_full)
        if not prediction.probabilities:
            reasons = absence_reasons({m.member: m.answer for m in prediction.members})
            raise NoAnswerError(reasons, prediction.members, asking.attempts)
        try:
            return await self._record(asking, prediction)
        finally:
            self._margin.replied(asking.closing, closed_s)

    async def _record(self, asking: "Asking", prediction: Prediction) -> Prediction:
        request, durability = asking.request, asking.plan.spec.durability
        prediction = replace(
            prediction,
            request_id=request.request_id,
            tags=dict(request.options.tags),
            experiment=request.experiment,
            arm=request.arm,
            elapsed_s=self._clock.monotonic() - asking.begun_s,
            attempts=asking.attempts,
            prompts=asking.prompts,
            trace=request.trace,
        )
        record = PredictionRecord(prediction, asking.question, request.caller)
        if self._answering is None:
            return await self._recorder.record(record, durability, asking.deadline)
        return await self._answering.recorded(
            self._recorder.record(record, durability, asking.deadline), durability
        )

    def estimate(self, request: PredictionRequest) -> Estimate:
        """What a request would cost; nobody is asked.

        Raises:
            InvalidRequestError, NotFoundError, DeadlineError: as for ``predict``.
        """
        asking = self._begin(self._ensembles.get(request.options.ensemble), request)
        if self._treasury is not None:
            asking = asking.restrained(self._treasury.restraint(asking.payer))
        return estimate(asking.ensemble, asking.plan, asking.query)

    @property
    def budgets(self) -> tuple[tuple[BudgetStatus, Restraint], ...]:
        """Each budget as of a few seconds ago, and what it does by itself."""
        if self._treasury is None:
            return ()
        return tuple((status, self._treasury.control(status)) for status in self._treasury.ledger.budgets)

    def forgive(self, member: str) -> None:
        """Let a member be paid again that had cost more than could be."""
        if self._treasury is not None:
            self._treasury.forgive(member)

    def _own_deadline(self, request: PredictionRequest) -> Deadline:
        """Until when the caller waits: as the request says, or as its ensemble is meant to take."""
        wish_s = request.options.deadline_s
        if wish_s is None:
            wish_s = self._ensembles.get(request.options.ensemble).spec.deadline_s
        own = request.deadline
        return Deadline.after(wish_s, self._clock) if own is None else own.within(wish_s)

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

    def _query(self, plan: Plan, question: Question, request: PredictionRequest, scribe: Scribe) -> Query:
        return Query(
            question=replace(question, resolution=None) if question.resolution else question,
            share_market_price=request.options.share_market_price or plan.spec.share_market_price,
            caller=request.caller,
            tags=request.options.tags,
            keys=request.keys,
            ticket=new_id(self._clock),
            scribe=scribe,
        )

    def _observe(self, prediction: Prediction) -> None:
        self.answered += 1
        self.last = prediction
        for observer in self._observers:
            observer.predicted(prediction)

    def _observe_failure(
        self, name: str, request: PredictionRequest, error: Exception, elapsed_s: float
    ) -> None:
        asked = error if isinstance(error, NoAnswerError) else None
        failure = FailedPrediction(
            ensemble=name,
            reason=getattr(error, "reason", "internal"),
            elapsed_s=elapsed_s,
            members=() if asked is None else asked.members,
            detail=str(error),
            attempts=() if asked is None else asked.attempts,
            trace=request.trace,
        )
        for observer in self._observers:
            observer.failed(failure)


@dataclass(frozen=True, slots=True)
class Asking:
    """One question on its way to the members.

    ``closing``: until when they are waited for; ``note``: what the caller should know of the plan.
    """

    ensemble: Ensemble
    request: PredictionRequest
    question: Question
    plan: Plan
    query: Query
    deadline: Deadline
    closing: Deadline
    begun_s: float
    create_time: datetime
    note: str = ""

    @property
    def in_full(self) -> bool:
        """Whether the members had the time that the ensemble is meant to have."""
        return self.deadline.at_s - self.begun_s >= _IN_FULL * self.ensemble.spec.deadline_s

    @property
    def attempts(self) -> tuple[Attempted, ...]:
        """The calls that were made for it so far."""
        return () if self.query.scribe is None else self.query.scribe.attempts

    @property
    def prompts(self) -> tuple[SentPrompt, ...]:
        """What they sent, as far as it is kept."""
        return () if self.query.scribe is None else self.query.scribe.prompts

    @property
    def payer(self) -> Payer:
        """On whose behalf it is paid."""
        request = self.request
        return Payer(self.query.ticket, request.caller, self.question.category, request.request_id)

    def paid_by(self, account: Account) -> "Asking":
        """The same with a purse, and with the plan that the budgets allow."""
        limits = [Allowance(self.plan.spec.max_cost_nano_usd)]
        if self.request.shared is not None:
            limits.append(self.request.shared)
        restrained = self.restrained(account.restraint)
        return replace(restrained, query=replace(self.query, purse=account.purse(*limits)))

    def restrained(self, restraint: Restraint) -> "Asking":
        """The same with the plan that the budgets allow."""
        return replace(self, plan=restrain(self.ensemble, self.plan, self.query, restraint))
