# SPDX-License-Identifier: Apache-2.0
"""Settings of ensembles, deadlines and market streams."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from server.engine.gathering import CHOICES
from server.engine.market import MarketDefaults
from server.forecasting.ensemble import Durability, EnsembleSpec, MemberSpec, TradeRule
from server.forecasting.errors import ConsilienceError
from server.forecasting.money import NANO_USD
from server.forecasting.names import choose
from server.forecasting.plugged_pooling import check_parameters


class DeadlineSettings(BaseModel):
    """How long an answer may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_s: float = Field(default=2.0, gt=0, le=300, description="deadline of an ensemble that sets none")
    reply_margin_s: float = Field(
        default=0.15,
        gt=0,
        lt=10,
        description="kept back for pooling, the record and the reply; more where they took longer lately",
    )


class MemberSettings(BaseModel):
    """What is special about one member of one ensemble."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(
        default=1.0,
        ge=0,
        le=1e50,
        allow_inf_nan=False,
        description="its part in the pool; only ratios count",
    )
    enabled: bool = Field(default=True, description="false: not asked until UpdateMember switches it on")
    timeout_s: float | None = Field(
        default=None, gt=0, le=300, description="replaces the ensemble's `member_timeout_s`"
    )
    min_confidence: float = Field(
        default=0.0, ge=0, le=1, description="less sure answers are shown but do not count"
    )


class TradeSettings(BaseModel):
    """When a market ensemble's signal says that it should be traded on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence_threshold: float = Field(
        default=0.5, ge=0, le=1, description="least probability of the direction"
    )
    neutral_threshold: float = Field(
        default=0.1, ge=0, le=1, description="NEUTRAL is called where UP and DOWN differ by less"
    )


class EnsembleSettings(BaseModel):
    """One ensemble: who is asked, and how answers become one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: tuple[str, ...] = Field(min_length=1, max_length=256, description="names of [forecasters.*]")
    member: dict[str, MemberSettings] = Field(
        default_factory=dict, description="what is special about a member"
    )
    pooling: str = Field(
        default="log_odds", description="how answers become one; `consilience status` lists the names"
    )
    parameters: dict[str, float] = Field(default_factory=dict, description="parameters of the pooling")
    weighting: str = Field(
        default="fixed", description="fixed (as configured), or learned: agreement, adaptive, ..."
    )
    calibration: str = Field(default="none", description="none, platt, isotonic, beta or hierarchical")
    execution: str = Field(
        default="parallel", description="parallel, sequential, hedged, cascade or value; docs/executions.md"
    )
    selection: str = Field(
        default="all", description="all, budget, stake, value, context or a plug-in's; docs/executions.md"
    )
    deadline_s: float | None = Field(
        default=None, gt=0, le=300, description="when the answer is due; none: `[deadline] default_s`"
    )
    member_timeout_s: float = Field(
        default=30.0, gt=0, le=300, description="longest wait for one member, within the deadline"
    )
    min_responses: int | None = Field(
        default=None, ge=1, description="abstain with fewer answers; none: half of those asked, rounded up"
    )
    min_agreement: float = Field(default=0.6, ge=0, le=1, description="abstain below this vote share")
    high_agreement: float = Field(
        default=0.8, ge=0, le=1, description="below this vote share the size is reduced"
    )
    max_doubt: float = Field(
        default=1.0, ge=0, le=1, description="abstain where the expected loss (squared error) is higher"
    )
    early_stop_threshold: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="stop once enough have answered and this share of all weight agrees; 1: never",
    )
    min_consensus: float = Field(default=0.8, ge=0, le=1, description="sequential: stop at this vote share")
    confidence_threshold: float = Field(
        default=0.9, ge=0, le=1, description="cascade: stop at this confidence"
    )
    hedge_delay_s: float = Field(
        default=0.5, gt=0, le=300, description="hedged: before a member's median is known"
    )
    hedge_multiple: float = Field(
        default=2.0, ge=1, le=100, description="hedged: delay in medians of the member"
    )
    hedge_share: float = Field(
        default=0.08, ge=0, le=1, description="hedged: second attempts per first attempt"
    )
    enough_responses: int | None = Field(default=None, ge=1, description="stop once so many have answered")
    spare_members: int | None = Field(
        default=None, ge=0, description="ask so many more than enough_responses; none: everyone"
    )
    stop_when_settled: bool = Field(
        default=False, description="stop once the rest cannot change the decision"
    )
    stop_when_not_worth: bool = Field(
        default=False, description="stop once the rest would save less than they cost"
    )
    loss_usd: float = Field(
        default=0.0, ge=0, description="what a Brier score of 1 costs where a question states no stake"
    )
    call_cost_usd: float = Field(default=0.0, ge=0, description="cost of a call whose price is not known")
    max_cost_per_query_usd: Decimal = Field(
        default=Decimal("0.10"), ge=0, le=1_000_000, description="most that one question may cost"
    )
    stake_threshold_usd: float = Field(
        default=50.0, ge=0, description="selection stake and cascade: from this stake on everyone is asked"
    )
    selection_parameters: dict[str, float] = Field(
        default_factory=dict,
        description="selections value and context: `most` members, and only those that lessen the "
        "expected loss by more than the share `least_gain` (0: all that do good); else of a plug-in",
    )
    explore_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="selections value and context: share of questions that ask everyone",
    )
    durability: Durability = Field(
        default=Durability.DURABLE,
        description="durable: on disk before the answer leaves; deadline_first: the answer does not wait "
        "for a slow disk and says so; none: not recorded",
    )
    share_market_price: bool = Field(
        default=False, description="tell language models the market's price of the question"
    )
    horizon_updates: int = Field(default=0, ge=0, description="market ensembles: book updates ahead")
    trade: TradeSettings = Field(
        default_factory=TradeSettings, description="market ensembles: when to trade on a signal"
    )

    def spec(self, name: str, default_deadline_s: float) -> EnsembleSpec:
        """The ensemble as the engine takes it.

        Raises:
            ValueError: a name, a parameter or a threshold does not fit.
        """
        for member in self.member:
            if member not in self.members:
                raise ValueError(f"member.{member}: {member!r} is not in members")
        if len(set(self.members)) != len(self.members):
            raise ValueError("members: the names must differ")
        if self.high_agreement < self.min_agreement:
            raise ValueError(
                f"high_agreement: {self.high_agreement} is below min_agreement {self.min_agreement}"
            )
        if self.min_responses is not None and self.min_responses > len(self.members):
            raise ValueError(
                f"min_responses: {self.min_responses} is more than the {len(self.members)} members"
            )
        if self.spare_members is not None and self.enough_responses is None:
            raise ValueError("spare_members: says how many more than enough_responses; set that, too")
        try:
            chosen = self._choices()
        except ConsilienceError as error:
            raise ValueError(str(error)) from error
        return EnsembleSpec(
            name=name,
            members=tuple(self._member(member) for member in self.members),
            pooling=chosen["pooling"],
            parameters=dict(self.parameters),
            weighting=chosen["weighting"],
            calibration=chosen["calibration"],
            execution=chosen["execution"],
            selection=chosen["selection"],
            deadline_s=self.deadline_s or default_deadline_s,
            member_timeout_s=self.member_timeout_s,
            min_responses=self.min_responses,
            min_agreement=self.min_agreement,
            high_agreement=self.high_agreement,
            max_doubt=self.max_doubt,
            early_stop_threshold=self.early_stop_threshold,
            min_consensus=self.min_consensus,
            confidence_threshold=self.confidence_threshold,
            hedge_delay_s=self.hedge_delay_s,
            hedge_multiple=self.hedge_multiple,
            hedge_share=self.hedge_share,
            enough_responses=self.enough_responses,
            spare_members=self.spare_members,
            stop_when_settled=self.stop_when_settled,
            stop_when_not_worth=self.stop_when_not_worth,
            loss_usd=self.loss_usd,
            call_cost_usd=self.call_cost_usd,
            max_cost_nano_usd=int(self.max_cost_per_query_usd * NANO_USD),
            stake_threshold_usd=self.stake_threshold_usd,
            selection_parameters=dict(self.selection_parameters),
            explore_share=self.explore_share,
            durability=self.durability,
            share_market_price=self.share_market_price,
            horizon_updates=self.horizon_updates,
            trade=TradeRule(self.trade.confidence_threshold, self.trade.neutral_threshold),
        )

    def _member(self, name: str) -> MemberSpec:
        special = self.member.get(name, MemberSettings())
        return MemberSpec(name, special.weight, special.enabled, special.timeout_s, special.min_confidence)

    def _choices(self) -> dict[str, str]:
        chosen = {
            "pooling": choose("pooling", self.pooling, CHOICES.poolings),
            "weighting": choose("weighting", self.weighting, CHOICES.weightings),
            "calibration": choose("calibration", self.calibration, CHOICES.calibrations),
            "execution": choose("execution", self.execution, CHOICES.executions),
            "selection": choose("selection", self.selection, CHOICES.selections),
        }
        check_parameters(chosen["pooling"], self.parameters)
        return chosen


class LearningSettings(BaseModel):
    """Learning from outcomes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    poll_s: float = Field(
        default=1.0, gt=0, le=3600, description="how often to look for what other servers have stored"
    )


class MarketSettings(BaseModel):
    """Market streams."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ensemble: str = Field(default="", description="ensemble of a stream that names none")
    signal_every_updates: int = Field(default=10, ge=1, description="book updates from signal to signal")
    signal_deadline_s: float = Field(default=0.5, gt=0, le=60, description="longest wait for one signal")
    max_symbols: int = Field(default=64, ge=1, le=4096, description="symbols of one stream")

    def defaults(self) -> MarketDefaults:
        """The settings as the engine takes them."""
        return MarketDefaults(self.signal_every_updates, self.signal_deadline_s, self.max_symbols)
