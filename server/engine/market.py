# SPDX-License-Identifier: Apache-2.0
"""Live markets: one book per symbol, and the network ensemble's signals on it.

A stream is worked off in order, a signal before the next event, so the same
input gives the same signals; a caller that sends faster than the networks
answer is slowed down by flow control, not by a queue of ours.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from server.engine.advice import learns
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.gathering import CHOICES, gather
from server.engine.market_events import (
    Control,
    Inputs,
    MarketEvent,
    MarketResponse,
    Notice,
    NoticeKind,
    Signal,
)
from server.engine.purse import Allowance
from server.engine.school import Awaiting
from server.engine.selecting import plan_for
from server.engine.symbol_book import SymbolBook
from server.engine.tickets import new_id
from server.engine.trading import DIRECTIONS, call
from server.engine.treasury import Treasury
from server.engine.verdict import conclude
from server.forecasting.deadline import Clock, Deadline
from server.forecasting.ensemble import Options
from server.forecasting.errors import ConsilienceError
from server.forecasting.money import Payer
from server.forecasting.prediction import Prediction
from server.forecasting.purse import Purse
from server.forecasting.query import MarketObservation, Query
from server.forecasting.question import Exclusive, Question

CATEGORY = "market"


@dataclass(frozen=True, slots=True)
class MarketDefaults:
    """What a stream gets that asks for nothing special."""

    signal_every_updates: int = 10
    signal_deadline_s: float = 0.5
    max_symbols: int = 64


class MarketEngine:
    """Makes sessions. One instance serves every stream of the process."""

    def __init__(
        self,
        ensembles: Ensembles,
        clock: Clock,
        defaults: MarketDefaults,
        code_version: str,
        treasury: Treasury | None = None,
    ) -> None:
        self.ensembles = ensembles
        self.clock = clock
        self.defaults = defaults
        self.code_version = code_version
        self._treasury = treasury

    def purse(self, ensemble: Ensemble) -> Purse | None:
        """The money for one signal; None where nobody costs any."""
        if self._treasury is None or not ensemble.is_priced:
            return None
        account = self._treasury.open(Payer(new_id(self.clock), category=CATEGORY))
        return account.purse(Allowance(ensemble.spec.max_cost_nano_usd))

    async def answer(
        self, ensemble: Ensemble, observation: MarketObservation, deadline: Deadline
    ) -> Prediction:
        """Which way over the next updates? Without probabilities where nobody answered; nothing is recorded.

        Raises:
            ConsilienceError: the ensemble cannot answer as it is configured now.
        """
        question = _question(observation)
        plan = plan_for(ensemble, Options(), question, CHOICES)
        query = Query(question, observation, purse=self.purse(ensemble))
        consensus = await gather(ensemble, plan, query, deadline)
        prediction = conclude(consensus, "", self.clock.now(), self.code_version)
        for member in prediction.members:
            ensemble.standings[member.member].add(member)
        return prediction

    def session(self) -> "MarketSession":
        """The state of one stream."""
        return MarketSession(self)


class MarketSession:
    """The symbols of one stream."""

    def __init__(self, engine: MarketEngine) -> None:
        self._engine = engine
        self._symbols: dict[str, SymbolBook] = {}

    async def feed(self, event: MarketEvent) -> AsyncIterator[MarketResponse]:
        """Take one event; whatever it leads to comes out before the next one is taken."""
        symbol = self._symbol(event.symbol)
        if symbol is None:
            most = self._engine.defaults.max_symbols
            yield Notice(
                event.symbol, NoticeKind.INVALID_EVENT, f"a stream carries at most {most} symbols", 0
            )
        elif isinstance(event.body, Control):
            symbol.control = self._control(event.body)
        elif (notice := symbol.apply(event)) is not None:
            yield notice
        elif symbol.due:
            async for response in self._signal(symbol):
                yield response

    def _symbol(self, name: str) -> SymbolBook | None:
        symbol = self._symbols.get(name)
        if symbol is None and len(self._symbols) < self._engine.defaults.max_symbols:
            every = self._engine.defaults.signal_every_updates
            symbol = self._symbols[name] = SymbolBook(name, Control(signal_every_updates=every))
        return symbol

    def _control(self, wished: Control) -> Control:
        """The wishes with the configured values where they are silent.

        Raises:
            NotFoundError: the ensemble is not known.
            InvalidRequestError: no ensemble is named and none is configured.
        """
        ensemble = self._engine.ensembles.market(wished.ensemble)
        every = wished.signal_every_updates or self._engine.defaults.signal_every_updates
        return replace(wished, ensemble=ensemble.spec.name, signal_every_updates=every)

    async def _signal(self, symbol: SymbolBook) -> AsyncIterator[MarketResponse]:
        begun = time.monotonic()
        ensemble = self._engine.ensembles.market(symbol.control.ensemble)
        observation = symbol.observe(ensemble.spec.horizon_updates)
        if symbol.control.send_features or symbol.control.send_window:
            yield _inputs(observation, symbol.control)
        deadline = Deadline.after(self._engine.defaults.signal_deadline_s, self._engine.clock)
        try:
            prediction = await self._engine.answer(ensemble, observation, deadline)
        except ConsilienceError as error:
            yield Notice(symbol.symbol, NoticeKind.OVERLOADED, str(error), symbol.event_time_us)
            return
        self._await_outcome(symbol, ensemble, prediction)
        yield Signal(
            symbol=symbol.symbol,
            event_time_us=observation.event_time_us,
            sequence=observation.sequence,
            warm=observation.warm,
            horizon_updates=observation.horizon_updates,
            prediction=prediction,
            call=call(prediction, ensemble.spec.trade),
            best_bid_ticks=symbol.best_bid_ticks,
            best_ask_ticks=symbol.best_ask_ticks,
            latency_s=time.monotonic() - begun,
        )

    @staticmethod
    def _await_outcome(symbol: SymbolBook, ensemble: Ensemble, prediction: Prediction) -> None:
        """Later books will say what became of the signal, where anything is learned from that."""
        if ensemble.school is None or not learns(ensemble.spec):
            return
        if symbol.awaiting is None or symbol.awaiting.school is not ensemble.school:
            symbol.awaiting = Awaiting(ensemble.school)
        mid2 = symbol.best_bid_ticks + symbol.best_ask_ticks
        symbol.awaiting.signal(prediction, mid2, ensemble.spec.horizon_updates)


def _question(observation: MarketObservation) -> Question:
    """The question that a signal answers: which way over the next updates?"""
    text = f"Direction of {observation.symbol} over the next {observation.horizon_updates} book updates"
    return Question(
        f"{observation.symbol}/{observation.sequence}", text, Exclusive(DIRECTIONS), category=CATEGORY
    )


def _inputs(observation: MarketObservation, control: Control) -> Inputs:
    return Inputs(
        symbol=observation.symbol,
        event_time_us=observation.event_time_us,
        sequence=observation.sequence,
        warm=observation.features_warm,
        features=observation.feature_rows[-1] if control.send_features else None,
        window=observation.window if control.send_window else None,
    )
