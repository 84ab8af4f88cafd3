# SPDX-License-Identifier: Apache-2.0
"""What the engine needs from the rooms beside it. They fit these; it knows only these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast, runtime_checkable

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Answer, Cost, Forecast
from server.forecasting.judging import Shown
from server.forecasting.money import Budget, BudgetStatus, Charge, Control, Payer, Refusal, Spend
from server.forecasting.prediction import FailedPrediction, Prediction, PredictionRecord
from server.forecasting.query import Query
from server.forecasting.question import Question


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a forecaster is: its kind and, where there is one, provider and model."""

    kind: str
    provider: str = ""
    model: str = ""


@runtime_checkable
class Forecaster(Protocol):
    """Anything that answers: a language model, a network, a recording, a price, an ensemble."""

    @property
    def identity(self) -> Identity:
        """Who it is."""
        ...

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """Answer by the deadline.

        Expected failures are returned as ``Absent``; cancellation passes
        through; anything else raised is a fault and counts as ``INTERNAL``.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads. Called once, after the last forecast."""
        ...


class HedgedForecaster(Protocol):
    """A forecaster that has others to be asked beside it when it is slow, best at another provider."""

    def instead(self, attempt: int) -> Forecaster:
        """Whom to ask with the first, second, ... further attempt at the same answer."""
        ...


def as_hedged(forecaster: Forecaster) -> HedgedForecaster | None:
    """The forecaster as one that has others beside it; None: it is asked again itself."""
    return cast("HedgedForecaster", forecaster) if hasattr(type(forecaster), "instead") else None


class RevivableForecaster(Protocol):
    """A forecaster that keeps away from what has refused it: keys, a model, a provider in trouble."""

    def revive(self) -> None:
        """Try everything again at once: an operator says that it has been mended."""
        ...


def as_revivable(forecaster: Forecaster) -> RevivableForecaster | None:
    """The forecaster as one that keeps away from what has refused it; None: it never does."""
    return cast("RevivableForecaster", forecaster) if hasattr(type(forecaster), "revive") else None


class PricedForecaster(Protocol):
    """A forecaster that may cost money, and asks the query's purse before it does."""

    def upper_bound(self, query: Query) -> int | None:
        """Most that asking it once can cost, in nano US dollars; None: nobody knows."""
        ...

    def expected(self, query: Query) -> int | None:
        """A guess at what asking it once costs, in nano US dollars; None: nobody knows."""
        ...

    @property
    def max_calls(self) -> int:
        """How often it may be paid for one answer, repeated attempts included."""
        ...

    @property
    def is_free(self) -> bool:
        """Whether it surely costs nothing, after all."""
        ...


def as_priced(forecaster: Forecaster) -> PricedForecaster | None:
    """The forecaster as one that may cost money; None: its kind never does. Runs nothing of it."""
    return cast("PricedForecaster", forecaster) if hasattr(type(forecaster), "upper_bound") else None


class ShowingForecaster(Protocol):
    """A forecaster whose question leaves for providers."""

    @property
    def shown(self) -> Shown:
        """What of a question may be shown to each of them."""
        ...


def as_showing(forecaster: Forecaster) -> ShowingForecaster | None:
    """The forecaster as one that asks providers; None: its kind never does. Runs nothing of it."""
    return cast("ShowingForecaster", forecaster) if hasattr(type(forecaster), "shown") else None


class PredictionStore(Protocol):
    """Where predictions are kept."""

    async def save(self, record: PredictionRecord) -> None:
        """Return once the record is on disk, synced.

        Raises:
            RecordError: it is not, and will not be.
            ConflictError: this caller's request was answered already, by another process.
        """
        ...

    async def get(self, prediction_id: str) -> PredictionRecord | None:
        """The record, or None."""
        ...

    async def find_request(self, caller: str, request_id: str) -> PredictionRecord | None:
        """The answer once given to this caller's request, or None."""
        ...

    async def list(
        self,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        question_id: str = "",
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[PredictionRecord]:
        """Newest first, at most ``limit``, strictly before the (create_time, id) given."""
        ...

    async def close(self) -> None:
        """Write what is queued, then close."""
        ...


class QuestionCatalogue(Protocol):
    """Questions that the server knows by id."""

    def get(self, question_id: str) -> Question | None:
        """The question, or None."""
        ...

    def list(self, *, category: str = "", contains: str = "") -> Sequence[Question]:
        """Those that match, in order of id."""
        ...


class PredictionObserver(Protocol):
    """Told about every finished prediction: metrics, traces, watchers. Must not block or raise."""

    def predicted(self, prediction: Prediction) -> None:
        """A prediction has been answered."""
        ...

    def failed(self, failure: FailedPrediction) -> None:
        """A prediction has failed."""
        ...


class Ledger(Protocol):
    """Budgets, and every call that was paid; shared by all processes that use the same database.

    Reserved plus settled money never exceeds any budget. What cannot be awaited
    is written soon and survives everything but the death of the process; then
    its calls are booked as the ledger's terms say.
    """

    @property
    def budgets(self) -> Sequence[BudgetStatus]:
        """All budgets, as they were at the last look, a few seconds ago at most."""
        ...

    async def reserve(self, charge: Charge) -> Refusal | None:
        """Set the charge's money aside in every budget that covers it, or in none.

        A charge that was reserved before stays reserved once. Cancelled, it
        leaves nothing reserved.

        Raises:
            LedgerError: it could not be written down; nothing is reserved.
        """
        ...

    def settle(self, charge: Charge, cost: Cost | None, *, unpriced: bool = False) -> None:
        """Book what a call has cost, None for nothing, and give back the rest. Never blocks or raises.

        ``unpriced``, without a cost: it was made, and nobody knows what it has cost.
        """
        ...

    async def claim(self, payer: Payer) -> Mapping[str, Forecast] | None:
        """Take a request for this prediction; None: a living process has it, or its answer is stored.

        What comes back are the answers, by member, that an earlier attempt at
        the same request paid for and did not live to use.

        Raises:
            LedgerError: it could not be written down.
        """
        ...

    def keep(self, payer: Payer, member: str, forecast: Forecast) -> None:
        """Remember a claimed request's paid answer for another attempt. Never blocks or raises."""
        ...

    def finish(self, payer: Payer, *, recorded: bool) -> None:
        """Let go of a request; ``recorded``: its answer is stored, so nothing need be remembered."""
        ...

    async def status(self) -> Sequence[BudgetStatus]:
        """All budgets, as they are now."""
        ...

    async def set_budget(self, budget: Budget) -> BudgetStatus:
        """Set a budget. What was spent in its present window counts, also from before it was set."""
        ...

    async def remove_budget(self, name: str) -> bool:
        """Remove a budget; False: there was none."""
        ...

    async def spend(
        self, group_by: str = "", start: datetime | None = None, end: datetime | None = None
    ) -> Sequence[Spend]:
        """What calls made in [start, end) have cost, in order of the group's name.

        Groups: "member", "provider", "category", "caller", "budget"; empty: all in one.
        """
        ...

    async def close(self) -> None:
        """Write what is waiting."""
        ...


class BudgetWatch(Protocol):
    """How budgets stand, for whoever looks, from whatever thread."""

    def watch(self) -> Sequence[tuple[BudgetStatus, Control]]:
        """Each budget as of the ledger's last look, and what it does by itself."""
        ...


class SpendObserver(Protocol):
    """Told about every paid call: metrics and logs. Must not block or raise."""

    def settled(self, charge: Charge, cost: Cost) -> None:
        """A call has cost money."""
        ...

    def corrected(self, charge: Charge, guess: Cost, cost: Cost) -> None:
        """What was told as an estimate is known now."""
        ...

    def refused(self, payer: Payer, member: str, why: str) -> None:
        """A call was not made for want of money."""
        ...

    def exceeded(self, charge: Charge, cost: Cost) -> None:
        """A call has cost more than could be; its member is switched off."""
        ...
