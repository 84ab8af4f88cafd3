# SPDX-License-Identifier: Apache-2.0
"""Who costs nothing: members that answer from what this machine has, without asking anybody outside."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from server.forecasting.ports import Forecaster

FREE_KINDS = frozenset({"recorded", "market", "network"})


class Inner(Protocol):
    """An ensemble, as far as its members go."""

    @property
    def forecasters(self) -> Mapping[str, Forecaster]:
        """The members by name."""
        ...


@runtime_checkable
class Nesting(Protocol):
    """A forecaster that is an ensemble of others."""

    def inner(self) -> Inner:
        """The ensemble that answers for it."""
        ...


def is_free(forecaster: Forecaster) -> bool:
    """Whether asking it costs neither money nor somebody else's patience."""
    if isinstance(forecaster, Nesting):
        return all(map(is_free, forecaster.inner().forecasters.values()))
    return forecaster.identity.kind in FREE_KINDS
