# SPDX-License-Identifier: Apache-2.0
"""Who costs nothing: members that answer from what this machine has, without asking anybody outside."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from server.forecasting.ports import Forecaster

if TYPE_CHECKING:
    from server.engine.ensembles import Ensemble

FREE_KINDS = frozenset({"recorded", "market", "network"})


@runtime_checkable
class Nesting(Protocol):
    """A forecaster that is an ensemble of others."""

    def inner(self) -> "Ensemble":
        """The ensemble that answers for it."""
        ...


def is_free(forecaster: Forecaster) -> bool:
    """Whether asking it costs neither money nor somebody else's patience."""
    if isinstance(forecaster, Nesting):
        return all(map(is_free, forecaster.inner().forecasters.values()))
    return forecaster.identity.kind in FREE_KINDS
