# SPDX-License-Identifier: Apache-2.0
"""The market's price as a forecaster like any other."""

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Absent, AbsentReason, Answer, Forecast
from server.forecasting.ports import Identity
from server.forecasting.query import Query
from server.forecasting.question import Binary


class MarketPrice:
    """Answers with the price that came with the question."""

    identity = Identity(kind="market", provider="", model="price")

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The price as a probability; absent where the question has none."""
        del deadline
        price = query.question.market_probability
        if not isinstance(query.question.kind, Binary):
            return Absent(AbsentReason.NOT_APPLICABLE, "a market price answers binary questions only")
        if price is None:
            return Absent(AbsentReason.NOT_APPLICABLE, "the question carries no market price")
        source = query.question.source or "the market"
        return Forecast((price, 1.0 - price), rationale=f"price on {source}", model="price", price=True)

    async def close(self) -> None:
        """Nothing to let go of."""
