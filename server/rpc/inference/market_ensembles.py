# SPDX-License-Identifier: Apache-2.0
"""An ensemble that says which way a market goes, as a model."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np

from models.encoding import INPUTS, Encoding
from server.engine.ensembles import Ensemble
from server.engine.trading import DIRECTIONS
from server.forecasting.deadline import Deadline
from server.forecasting.errors import NoAnswerError
from server.forecasting.forecast import absence_reasons
from server.forecasting.prediction import Prediction
from server.forecasting.query import MarketObservation
from server.inference.servable import Array, TensorForm, Wishes
from server.rpc.inference.answers import market_columns, tensors
from server.rpc.inference.ensemble_base import MAX_BATCH, CountedEnsemble, Engines, form_of
from server.rpc.inference.faults import invalid
from server.rpc.inference.questions import whole_number

#: Most updates that a signal may look ahead.
MAX_UPDATES = 1_000_000
#: Most characters of a market's symbol.
MAX_SYMBOL = 64

MARKET_COLUMNS = market_columns(DIRECTIONS)
_WINDOW, _ROWS = INPUTS[Encoding.BOOK_WINDOW], INPUTS[Encoding.FEATURE_ROWS]
_HISTORY = INPUTS[Encoding.BOOK_HISTORY]
MARKET_INPUTS = tuple(
    TensorForm(spec.name, spec.datatype, spec.shape, optional=True) for spec in (_WINDOW, _ROWS, _HISTORY)
)


class MarketEnsemble(CountedEnsemble):
    """Says which way a market goes, of its window, feature rows and history. Nothing is recorded."""

    def __init__(self, ensemble: Ensemble, engines: Engines) -> None:
        super().__init__(form_of(ensemble, MARKET_INPUTS, MARKET_COLUMNS, MAX_BATCH))
        self._ensemble = ensemble
        self._market = engines.market

    async def answer(self, inputs: Mapping[str, Array], wishes: Wishes) -> Sequence[Array]:
        """See ``Servable.answer``. The items of a batch are asked at the same time, and computed together."""
        observations = _observations(inputs, wishes, self._ensemble.spec.horizon_updates)
        limit_s = self._ensemble.spec.deadline_s
        deadline = (
            wishes.deadline.within(limit_s)
            if wishes.deadline
            else Deadline.after(limit_s, self._market.clock)
        )
        answers = await self.counted(len(observations), self._all(observations, deadline))
        return tensors(MARKET_COLUMNS, answers)

    async def _all(self, observations: Sequence[MarketObservation], deadline: Deadline) -> list[Prediction]:
        return await asyncio.gather(*(self._one(observation, deadline) for observation in observations))

    async def _one(self, observation: MarketObservation, deadline: Deadline) -> Prediction:
        prediction = await self._market.answer(self._ensemble, observation, deadline)
        if not prediction.probabilities:
            raise NoAnswerError(absence_reasons({m.member: m.answer for m in prediction.members}))
        return prediction


def _observations(inputs: Mapping[str, Array], wishes: Wishes, horizon: int) -> list[MarketObservation]:
    if not inputs:
        names = ", ".join(repr(spec.name) for spec in (_WINDOW, _ROWS, _HISTORY))
        raise invalid(f"give at least one of the inputs {names}, as the members need them")
    parameters = dict(wishes.parameters)
    symbol = str(parameters.pop("symbol", ""))[:MAX_SYMBOL]
    updates = whole_number("horizon_updates", parameters.pop("horizon_updates", horizon), MAX_UPDATES)
    if parameters:
        raise invalid(
            f"parameter {next(iter(parameters))!r} is not known to this model; "
            "it knows symbol and horizon_updates"
        )
    windows, rows, histories = (inputs.get(spec.name) for spec in (_WINDOW, _ROWS, _HISTORY))
    size = len(next(iter(inputs.values())))
    return [
        MarketObservation(
            symbol=symbol,
            event_time_us=0,
            sequence=item,
            warm=windows is not None,
            features_warm=rows is not None,
            horizon_updates=updates,
            window=np.zeros(_WINDOW.shape, np.float32) if windows is None else windows[item],
            feature_rows=np.full(_ROWS.shape, np.nan, np.float32) if rows is None else rows[item],
            book_history=None if histories is None else histories[item],
        )
        for item in range(size)
    ]
