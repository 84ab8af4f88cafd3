# SPDX-License-Identifier: Apache-2.0
"""Settings of budgets and of spending."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from server.engine.treasury import SpendingTerms
from server.forecasting.money import MOST_NANO_USD, NANO_USD, Budget, Thresholds, check_scope

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WINDOW = re.compile(r"([1-9]\d{0,5})([smhdw])")
_MOST_USD = MOST_NANO_USD // NANO_USD


class ThresholdSettings(BaseModel):
    """Shares of a budget at which its controls begin by themselves; more than 1 is never."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cheaper_at: float | None = Field(
        default=None, ge=0, le=10, description="choose members by value per cost, for half of the cost; 0.75"
    )
    cascade_at: float | None = Field(
        default=None, ge=0, le=10, description="ask one after the other until one is confident; 0.9"
    )
    stop_at: float | None = Field(default=None, ge=0, le=10, description="ask nobody who costs money; 1.0")

    def thresholds(self, otherwise: Thresholds) -> Thresholds:
        """As the engine takes them, with these where nothing is said.

        Raises:
            ValueError: they do not ascend.
        """
        made = Thresholds(
            otherwise.cheaper_at if self.cheaper_at is None else self.cheaper_at,
            otherwise.cascade_at if self.cascade_at is None else self.cascade_at,
            otherwise.stop_at if self.stop_at is None else self.stop_at,
        )
        if not made.cheaper_at <= made.cascade_at <= made.stop_at:
            raise ValueError(
                f"cheaper_at {made.cheaper_at:g}, cascade_at {made.cascade_at:g} and stop_at "
                f"{made.stop_at:g} must ascend"
            )
        return made


class BudgetSettings(ThresholdSettings):
    """Most that may be spent in each window, by all servers that share the database."""

    scope: str = Field(default="all", description="all, category:NAME, caller:NAME or member:NAME")
    limit_usd: Decimal = Field(ge=0, le=_MOST_USD, description="US dollars in each window")
    window: timedelta | None = Field(
        default=None, description="for example 1h, 1d, 7d; windows begin at whole multiples; none: for ever"
    )

    @field_validator("scope")
    @classmethod
    def _is_scope(cls, value: str) -> str:
        return check_scope(value)

    @field_validator("window", mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = _WINDOW.fullmatch(value)
        if found is None:
            raise ValueError(f"{value!r} is no window; write a number and s, m, h, d or w, for example 1d")
        return timedelta(**{_UNITS[found[2]]: int(found[1])})

    def budget(self, name: str) -> Budget:
        """As the ledger takes it."""
        return Budget(name, self.scope, int(self.limit_usd * NANO_USD), self.window)


class SpendingSettings(ThresholdSettings):
    """How money is spent; the thresholds hold for budgets that set none."""

    unknown_prices: Literal["refuse", "allow"] = Field(
        default="refuse", description="whether models are asked whose price nobody knows"
    )
    lost_calls: Literal["book", "release"] = Field(
        default="book",
        description="calls of a process that died: book their upper bound as an estimate, or give it back",
    )
    lease_s: float = Field(
        default=15.0, ge=1, le=3600, description="a process that is silent for so long counts as dead"
    )

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        self.thresholds(Thresholds())
        return self

    def terms(self, budgets: dict[str, BudgetSettings]) -> SpendingTerms:
        """As the engine takes them.

        Raises:
            ValueError: a budget's thresholds do not ascend; names it.
        """
        common = self.thresholds(Thresholds())
        by_budget = {}
        for name, budget in budgets.items():
            try:
                by_budget[name] = budget.thresholds(common)
            except ValueError as error:
                raise ValueError(f"budgets.{name}: {error}") from error
        return SpendingTerms(self.unknown_prices == "allow", common, by_budget)
