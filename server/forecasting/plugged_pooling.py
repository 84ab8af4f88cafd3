# SPDX-License-Identifier: Apache-2.0
"""A pooling that another package brings, with everything that is said of a pool."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import structlog
from numpy.typing import NDArray

from server.forecasting.answers import choices
from server.forecasting.errors import PluginError
from server.forecasting.plugins import PLUGINS, POOLING_GROUP, Names, Plugin
from server.forecasting.pooling import PARAMETERS, POOLINGS, Pooled, Pooling, parameter_vector, pooling

#: How far a plug-in's probabilities may be from summing to 1.
SUM_TOLERANCE = 1e-6

#: Every pooling that may be named.
ALL_POOLINGS = Names(POOLINGS, POOLING_GROUP)

log = structlog.get_logger(__name__)
Floats = NDArray[np.float64]


def any_pooling(name: str, parameters: Mapping[str, float], members: int, outcomes: int) -> Pooling:
    """The pooling of that canonical name, built in or plugged in.

    Raises:
        InvalidRequestError: a parameter is not one of the pooling's, or out of range.
        PluginError: the plug-in cannot be loaded.
    """
    if name in PARAMETERS:
        return pooling(name, parameters, members, outcomes)
    plain = pooling("linear", {}, members, outcomes)
    return PluggedPooling(name, PLUGINS.get(POOLING_GROUP, name), parameters, plain)


def check_parameters(name: str, parameters: Mapping[str, float]) -> None:
    """Check what can be checked: a plug-in's parameters are its own affair.

    Raises:
        InvalidRequestError: a parameter is not one of the pooling's, or out of range.
    """
    if name in PARAMETERS:
        parameter_vector(name, parameters)


class PluggedPooling:
    """Asks the plug-in for the pool, and a built-in linear pooling for how far the members agree.

    Contributions are the chosen outcome's probability less what it is without the
    member, so the plug-in is called once more for each present member.
    """

    def __init__(
        self, name: str, plugin: Plugin, parameters: Mapping[str, float], agreement: Pooling
    ) -> None:
        self._name = name
        self._plugin = plugin
        self._parameters = dict(parameters)
        self._agreement = agreement

    def pool(self, probabilities: Floats, weights: Floats) -> Pooled:
        """See ``Pooling.pool``.

        Raises:
            PluginError: the plug-in raised, or answered with what is no distribution.
        """
        plain = self._agreement.pool(probabilities, weights)
        if not plain.probabilities:
            return plain
        present = np.flatnonzero(~np.isnan(probabilities[:, 0]))
        rows, own = probabilities[present], weights[present]
        if own.sum() <= 0.0:
            own = np.ones(len(own))
        said = self._ask(rows, own)
        chosen = int(choices(said[None])[0])
        votes = float((choices(rows) == chosen).mean())
        return replace(
            plain,
            probabilities=tuple(said.tolist()),
            chosen=chosen,
            contributions=self._contributions(len(weights), present, rows, own, said, chosen),
            agreement=replace(plain.agreement, vote_share=votes, entropy=_entropy(said)),
            decided=True,
        )

    def _contributions(
        self,
        members: int,
        present: NDArray[np.intp],
        rows: Floats,
        weights: Floats,
        said: Floats,
        chosen: int,
    ) -> tuple[float, ...]:
        parts = np.zeros(members)
        for place, member in enumerate(present):
            others = np.arange(len(rows)) != place
            alone = not others.any() or weights[others].sum() <= 0.0
            without = 1.0 / len(said) if alone else self._ask(rows[others], weights[others])[chosen]
            parts[member] = said[chosen] - without
        return tuple(parts.tolist())

    def _ask(self, rows: Floats, weights: Floats) -> Floats:
        try:
            said = np.asarray(self._plugin(rows.copy(), weights.copy(), self._parameters), dtype=np.float64)
        except Exception as error:  # a stranger's code may raise anything
            log.error("plugin_failed", plugin=self._name, exc_info=error)
            raise PluginError(
                f"the pooling {self._name!r} failed with {type(error).__name__}; see the log"
            ) from error
        if said.shape != rows.shape[1:]:
            raise PluginError(
                f"the pooling {self._name!r} gave the shape {said.shape}; {rows.shape[1:]} is wanted"
            )
        if not (np.isfinite(said).all() and (said >= 0.0).all() and abs(said.sum() - 1.0) <= SUM_TOLERANCE):
            raise PluginError(
                f"the pooling {self._name!r} gave {said.tolist()}: no probabilities that sum to 1"
            )
        return said


def _entropy(said: Floats) -> float:
    held = said[said > 0.0]
    return float(-(held * np.log(held)).sum())
