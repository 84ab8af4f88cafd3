# SPDX-License-Identifier: Apache-2.0
"""What a mode does to one request: who may be asked, and whether the cache may help."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from server.engine.ensembles import Ensemble
from server.engine.modes.mode import Mode
from server.engine.paid import is_free
from server.forecasting.ensemble import MemberSpec, Plan, narrowed
from server.forecasting.errors import HaltedError

#: Whether a member, by ensemble and name, is fit to be asked.
Fit = Callable[[Ensemble, str], bool]


@dataclass(frozen=True, slots=True)
class Course:
    """The mode as one request meets it; a trial meets a better one than the server is in."""

    mode: Mode
    reason: str
    most_paid: int = 0
    fit: Fit = lambda ensemble, name: True

    @property
    def uses_cache(self) -> bool:
        """Whether kept answers may be used: not where only the market's word counts."""
        return self.mode < Mode.MARKET_ONLY

    @property
    def stale(self) -> bool:
        """Whether an old answer is better than none."""
        return self.mode is Mode.CACHED_ONLY

    def narrow(self, ensemble: Ensemble, plan: Plan, *, chosen: bool) -> Plan:
        """The plan with those that the mode allows; ``chosen``: the caller has named the members.

        Raises:
            HaltedError: nobody is left.
        """
        if self.mode is Mode.NORMAL:
            return plan
        kept = self._kept(ensemble, plan, chosen=chosen)
        if len(kept) == len(plan.members):
            return plan
        if not kept:
            mode = self.mode.name.lower()
            raise HaltedError(
                mode, f"in mode {mode} nobody of {ensemble.spec.name!r} may be asked: {self.reason}"
            )
        names = {member.name for member in kept}
        fewer = narrowed(plan, [name for p in plan.order if (name := plan.members[p].name) in names])
        # A quorum that somebody has set stays: the answer of too few is an abstention, not an opinion.
        return fewer if plan.spec.min_responses is None else replace(fewer, min_responses=plan.min_responses)

    def _kept(self, ensemble: Ensemble, plan: Plan, *, chosen: bool) -> tuple[MemberSpec, ...]:
        free = {member.name for member in plan.members if is_free(ensemble.forecasters[member.name])}
        if self.mode is not Mode.REDUCED:
            return tuple(member for member in plan.members if member.name in free)
        if chosen:
            return plan.members
        fit = [m for m in plan.members if m.name not in free and self.fit(ensemble, m.name)]
        paid = {m.name for m in sorted(fit, key=lambda m: _burden(ensemble, m))[: self.most_paid]}
        kept = tuple(m for m in plan.members if m.name in free or m.name in paid)
        # Where everybody is in trouble, asking them is still better than asking nobody.
        return kept or plan.members

    def warning(self, plan: Plan, fewer: Plan) -> str:
        """What the caller should know."""
        planned = len(plan.members)
        missing = planned - len(fewer.members)
        return f"mode {self.mode.name.lower()}: {missing} of {planned} members were not asked; {self.reason}"


def _burden(ensemble: Ensemble, member: MemberSpec) -> tuple[float, float, float]:
    """Least trouble first, then least cost, then most weight."""
    standing = ensemble.standings[member.name]
    return standing.failure_share, standing.mean_cost_nano_usd or 0.0, -member.weight
