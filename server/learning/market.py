# SPDX-License-Identifier: Apache-2.0
"""The market price as a member with its own reliability."""

import numpy as np

from server.learning.batches import (
    MARKET,
    PRICES,
    STALE_MARKET,
    Asked,
    Flags,
    Floats,
    Integers,
    Resolved,
    log_odds,
    normalised,
    pooled_log_odds,
)
from server.learning.belief import NOTHING, Belief
from server.learning.context import Context
from server.learning.redundancy import spread_factor
from server.learning.weighting import Weighting

#: Share of a fresh and of a stale price before anything is known of either.
FRESH_SHARE, STALE_SHARE = 0.5, 0.3
SHARE_DEVIATION = 0.5
SOURCE_DEVIATION = 0.2
SLOPE_DEVIATION = 0.25
#: Groups in the chain of a context that matter here: all questions, kind, source.
DEPTH = 3


class WithMarket:
    """Any weighting of members, with the price's share learned beside it.

    log-odds(outcome) = b x + g (price - x), x the pool of the other members;
    the price's share is g / b, held in 0..1, learned for all questions and for
    each source. An ensemble without a price is weighed by the inner weighting
    alone. A member is a price if its name is ``MARKET`` or ``STALE_MARKET``; a
    stale price counts only where there is no fresh one.
    """

    def __init__(self, inner: Weighting) -> None:
        self._inner = inner
        self._belief = Belief()
        self._rows: dict[tuple[Context, bool], tuple[list[int], list[int]]] = {}

    def watch(self, asked: Asked) -> None:
        """See ``Weighting``."""
        self._inner.watch(without_prices(asked))

    def observe(self, resolved: Resolved) -> None:
        """See ``Weighting``."""
        others = without_prices(resolved.asked)
        price, fresh = prices(resolved.asked)
        told = np.flatnonzero(~np.isnan(price) & others.present.any(axis=1))
        if len(told):
            self._learn(resolved, others.rows(told), price[told], fresh[told], told)
        self._inner.observe(Resolved(others, resolved.outcomes, resolved.shocks, resolved.weights))

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        others = without_prices(asked)
        inner = self._inner.weights(others)
        price, fresh = prices(asked)
        shares = self._shares(others, price, fresh)
        out = np.zeros(asked.probabilities.shape)
        out[:, _columns(asked, prices_wanted=False)] = inner * (1.0 - shares[:, None])
        for name, mask in ((MARKET, fresh), (STALE_MARKET, ~fresh)):
            if name in asked.members:
                out[:, asked.members.index(name)] = np.where(mask, shares, 0.0)
        return normalised(out, asked.present)

    def _shares(self, others: Asked, price: Floats, fresh: Flags) -> Floats:
        """(N,): the price's share; 0 without a price, 1 without anybody else."""
        shares = np.where(np.isnan(price), 0.0, 1.0)
        both = np.flatnonzero(~np.isnan(price) & others.present.any(axis=1))
        if len(both):
            asked = others.rows(both)
            slopes, trusts = self._places(asked.contexts, fresh[both])
            slope = self._belief.means(slopes).sum(axis=1) * spread_factor(asked.present.sum(axis=1))
            trust = self._belief.means(trusts).sum(axis=1)
            shares[both] = np.clip(trust / np.maximum(slope, 1e-3), 0.0, 1.0)
        return shares

    def _learn(self, resolved: Resolved, others: Asked, price: Floats, fresh: Flags, told: Integers) -> None:
        pool = pooled_log_odds(others, self._inner.weights(others))
        slopes, trusts = self._places(others.contexts, fresh)
        scaled = pool * spread_factor(others.present.sum(axis=1))
        values = np.column_stack(
            [np.where(slopes >= 0, scaled[:, None], 0.0), np.where(trusts >= 0, (price - pool)[:, None], 0.0)]
        )
        self._belief.observe(
            np.column_stack([slopes, trusts]),
            values,
            resolved.outcomes[told],
            resolved.weights[told],
            [resolved.shocks[i] for i in told],
        )

    def _places(self, contexts: tuple[Context, ...], fresh: Flags) -> tuple[Integers, Integers]:
        rows = [self._row(context, bool(one)) for context, one in zip(contexts, fresh, strict=True)]
        return (
            np.array([slope for slope, _ in rows], dtype=np.int64),
            np.array([trust for _, trust in rows], dtype=np.int64),
        )

    def _row(self, context: Context, fresh: bool) -> tuple[list[int], list[int]]:
        row = self._rows.get((context, fresh))
        if row is None:
            row = self._rows[context, fresh] = self._new_row(context, fresh)
        return row

    def _new_row(self, context: Context, fresh: bool) -> tuple[list[int], list[int]]:
        chain = context.chain[:DEPTH]
        slope = [
            self._belief.place(("slope", group), 0.0 if group else 1.0, SLOPE_DEVIATION) for group in chain
        ]
        prior = FRESH_SHARE if fresh else STALE_SHARE
        trust = [
            self._belief.place(("trust", fresh, group), 0.0, SOURCE_DEVIATION)
            if group
            else self._belief.place(("trust", fresh, group), prior, SHARE_DEVIATION)
            for group in chain
        ]
        missing = [NOTHING] * (DEPTH - len(chain))
        return slope + missing, trust + missing


def prices(asked: Asked) -> tuple[Floats, Flags]:
    """Log-odds of each row's price, NaN without one, and whether it is fresh."""
    fresh, stale = (_column(asked, name) for name in PRICES)
    return log_odds(np.where(np.isnan(fresh), stale, fresh)), ~np.isnan(fresh)


def without_prices(asked: Asked) -> Asked:
    """The same rows with the other members only."""
    if not any(name in asked.members for name in PRICES):
        return asked
    columns = _columns(asked, prices_wanted=False)
    names = tuple(asked.members[i] for i in columns)
    return Asked(names, asked.probabilities[:, columns], asked.contexts, asked.ensemble)


def _columns(asked: Asked, *, prices_wanted: bool) -> Integers:
    return np.array(
        [i for i, name in enumerate(asked.members) if (name in PRICES) == prices_wanted], np.int64
    )


def _column(asked: Asked, name: str) -> Floats:
    if name not in asked.members:
        return np.full(len(asked.contexts), np.nan)
    return np.asarray(asked.probabilities[:, asked.members.index(name)])
