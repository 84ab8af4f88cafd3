# SPDX-License-Identifier: Apache-2.0
"""What an ensemble is, what a caller may change for one question, and the plan that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from server.forecasting.errors import InvalidRequestError, NotFoundError
from server.forecasting.names import choose


class Durability(StrEnum):
    """What "answered" promises about the record."""

    DURABLE = "durable"
    DEADLINE_FIRST = "deadline_first"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """One member's place in an ensemble; ``timeout_s`` None: only the ensemble's deadline."""

    name: str
    weight: float = 1.0
    enabled: bool = True
    timeout_s: float | None = None
    min_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class TradeRule:
    """When a market ensemble's signal is worth acting on; see ``server.engine.trading``.

    ``confidence_threshold``: least probability of the direction. ``neutral_threshold``:
    least difference of the probabilities of UP and DOWN.
    """

    confidence_threshold: float = 0.5
    neutral_threshold: float = 0.1


@dataclass(frozen=True, slots=True)
class EnsembleSpec:
    """An ensemble as configured. Immutable: a change at run time makes a new one.

    Executions: ``sequential`` stops at the vote share ``min_consensus``,
    ``cascade`` at ``confidence_threshold``, ``hedged`` asks a slow member again
    after ``hedge_multiple`` times its median (``hedge_delay_s`` until that is
    known), in at most ``hedge_share`` of calls. Every execution stops once
    ``enough_responses`` have answered, and with ``stop_when_settled`` once the
    rest cannot change the decision. With ``spare_members`` only so many more than
    ``enough_responses`` are asked at once, and whoever fails is replaced. With
    ``stop_when_not_worth``, and in the execution ``value``, asking ends once it
    saves less than it costs: a Brier score of 1 costs the question's stake, or
    ``loss_usd`` where it states none; a call whose price is not known costs
    ``call_cost_usd``. ``max_cost_nano_usd`` is the most that one question may
    cost. A cascade asks everyone where the stake is at least
    ``stake_threshold_usd``. ``explore_share`` of the questions ask everyone where
    the selection is learned. ``horizon_updates`` is 0 but for market ensembles,
    whose outcomes are directions over that many book updates; ``trade`` is theirs, too.
    """

    name: str
    members: tuple[MemberSpec, ...]
    pooling: str = "log_odds"
    parameters: Mapping[str, float] = field(default_factory=dict)
    weighting: str = "fixed"
    calibration: str = "none"
    execution: str = "parallel"
    selection: str = "all"
    deadline_s: float = 2.0
    member_timeout_s: float = 30.0
    min_responses: int | None = None
    min_agreement: float = 0.6
    high_agreement: float = 0.8
    max_doubt: float = 1.0
    early_stop_threshold: float = 1.0
    durability: Durability = Durability.DURABLE
    share_market_price: bool = False
    min_consensus: float = 0.8
    confidence_threshold: float = 0.9
    hedge_delay_s: float = 0.5
    hedge_multiple: float = 2.0
    hedge_share: float = 0.08
    enough_responses: int | None = None
    spare_members: int | None = None
    stop_when_settled: bool = False
    stop_when_not_worth: bool = False
    loss_usd: float = 0.0
    call_cost_usd: float = 0.0
    max_cost_nano_usd: int = 100_000_000
    stake_threshold_usd: float = 50.0
    selection_parameters: Mapping[str, float] = field(default_factory=dict)
    explore_share: float = 0.05
    horizon_updates: int = 0
    trade: TradeRule = TradeRule()

    def member(self, name: str) -> MemberSpec:
        """The member of that name.

        Raises:
            NotFoundError: there is none.
        """
        for member in self.members:
            if member.name == name:
                return member
        raise NotFoundError(
            "member", name, f"ensemble {self.name!r} has: " + ", ".join(m.name for m in self.members)
        )

    def with_member(self, changed: MemberSpec) -> "EnsembleSpec":
        """The same ensemble with one member replaced."""
        members = tuple(changed if member.name == changed.name else member for member in self.members)
        return replace(self, members=members)


@dataclass(frozen=True, slots=True)
class Options:
    """A caller's wishes for one question; None and empty mean "as configured".

    ``max_age_s``: the oldest cached answer that will do, 0 for none; ``similar``:
    whether the answer to the same question in other words will.
    """

    ensemble: str = ""
    members: tuple[str, ...] = ()
    pooling: str = ""
    execution: str = ""
    selection: str = ""
    calibration: str = ""
    weighting: str = ""
    deadline_s: float | None = None
    member_timeout_s: float | None = None
    min_responses: int | None = None
    min_agreement: float | None = None
    high_agreement: float | None = None
    early_stop_threshold: float | None = None
    min_consensus: float | None = None
    confidence_threshold: float | None = None
    hedge_delay_s: float | None = None
    max_cost_nano_usd: int | None = None
    share_market_price: bool = False
    durability: Durability | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    max_age_s: float | None = None
    similar: bool | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The names that a server knows for each choice."""

    poolings: Sequence[str]
    executions: Sequence[str]
    selections: Sequence[str]
    calibrations: Sequence[str]
    weightings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided before anyone is asked.

    ``members`` are those to ask, in configured order, ``order`` their places in
    the order of asking; ``left_out`` are those of the ensemble that selection or
    an administrator left out. ``warnings`` go into the answer.
    """

    spec: EnsembleSpec
    members: tuple[MemberSpec, ...]
    left_out: tuple[MemberSpec, ...]
    min_responses: int
    order: tuple[int, ...]
    warnings: tuple[str, ...] = ()

    def warned(self, warning: str) -> "Plan":
        """The same plan with one more warning."""
        return replace(self, warnings=(*self.warnings, warning))


def _picked(spec: EnsembleSpec, names: Sequence[str]) -> tuple[MemberSpec, ...]:
    if not names:
        return tuple(member for member in spec.members if member.enabled)
    wanted = set(names)
    for name in names:
        if not spec.member(name).enabled:
            raise InvalidRequestError.of(
                "options.members", f"{name!r} is switched off; leave it out or enable it with UpdateMember"
            )
    return tuple(member for member in spec.members if member.name in wanted)


def _weighted(spec: EnsembleSpec, weights: Mapping[str, float]) -> EnsembleSpec:
    for name, weight in weights.items():
        spec = spec.with_member(replace(spec.member(name), weight=weight))
    return spec


def _overridden(spec: EnsembleSpec, options: Options) -> EnsembleSpec:
    """The ensemble with every numeric wish of the caller in place."""
    wishes: dict[str, Any] = {
        name: value
        for name in (
            "deadline_s",
            "member_timeout_s",
            "min_responses",
            "min_agreement",
            "high_agreement",
            "early_stop_threshold",
            "min_consensus",
            "confidence_threshold",
            "hedge_delay_s",
            "durability",
        )
        if (value := getattr(options, name)) is not None
    }
    # A deadline may be shortened by a caller, never lengthened past the configured one.
    if options.deadline_s is not None:
        wishes["deadline_s"] = min(options.deadline_s, spec.deadline_s)
    # Nor may the limit on what a question costs be raised: the money is the operator's.
    if options.max_cost_nano_usd is not None:
        wishes["max_cost_nano_usd"] = min(options.max_cost_nano_usd, spec.max_cost_nano_usd)
    return replace(spec, **wishes) if wishes else spec


def _chosen(spec: EnsembleSpec, options: Options, choices: Choices) -> EnsembleSpec:
    """The ensemble with every named wish of the caller in place."""
    wishes: dict[str, Any] = {}
    for name, known in (
        ("pooling", choices.poolings),
        ("execution", choices.executions),
        ("selection", choices.selections),
        ("calibration", choices.calibrations),
        ("weighting", choices.weightings),
    ):
        if wish := getattr(options, name):
            wishes[name] = choose(f"options.{name}", wish, known)
    return replace(spec, **wishes) if wishes else spec


def _quorum(spec: EnsembleSpec, members: int) -> int:
    """Half of those asked, rounded up; one is enough for those that ask on only where it helps."""
    return 1 if spec.execution in {"cascade", "value"} else (members + 1) // 2


def _staked(spec: EnsembleSpec, stake_usd: float) -> EnsembleSpec:
    """A cascade is for small stakes: where much hangs on the answer everyone is asked."""
    high = spec.execution == "cascade" and stake_usd >= spec.stake_threshold_usd
    return replace(spec, execution="parallel") if high else spec


def make_plan(spec: EnsembleSpec, options: Options, choices: Choices, stake_usd: float = 0.0) -> Plan:
    """Combine an ensemble's configuration with a caller's wishes.

    Raises:
        InvalidRequestError: a wish breaks a rule.
        NotFoundError: a member is not known.
    """
    spec = _weighted(_chosen(_overridden(spec, options), options, choices), options.weights)
    spec = _staked(spec, stake_usd)
    if spec.high_agreement < spec.min_agreement:
        raise InvalidRequestError.of(
            "options.high_agreement",
            f"{spec.high_agreement} is below min_agreement {spec.min_agreement}; give at least that",
        )
    members = _picked(spec, options.members)
    if not members:
        raise InvalidRequestError.of("options.members", f"every member of {spec.name!r} is switched off")
    asked = {member.name for member in members}
    left_out = tuple(member for member in spec.members if member.name not in asked)
    wanted = spec.min_responses if spec.min_responses is not None else _quorum(spec, len(members))
    if wanted > len(members):
        raise InvalidRequestError.of(
            "options.min_responses", f"{wanted} is more than the {len(members)} members that would be asked"
        )
    return Plan(spec, members, left_out, wanted, tuple(range(len(members))))


def narrowed(plan: Plan, names: Sequence[str]) -> Plan:
    """The plan with these members only, to be asked in this order; the quorum shrinks with them."""
    wanted = set(names)
    members = tuple(member for member in plan.members if member.name in wanted)
    places = {member.name: place for place, member in enumerate(members)}
    out = tuple(member for member in plan.members if member.name not in wanted)
    quorum = plan.spec.min_responses
    quorum = _quorum(plan.spec, len(members)) if quorum is None else min(quorum, len(members))
    order = tuple(places[name] for name in names)
    return Plan(plan.spec, members, (*plan.left_out, *out), quorum, order, plan.warnings)
