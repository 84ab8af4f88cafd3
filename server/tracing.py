# SPDX-License-Identifier: Apache-2.0
"""Traces of a running server: who its members are, and OpenTelemetry only where it is wanted."""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from server.assembly import Assembly
from server.config import ConfigError
from server.engine.ensembles import Ensembles
from server.forecasting.deadline import Clock
from server.forecasting.errors import NotFoundError
from server.forecasting.ports import Identity
from server.telemetry.settings import TelemetrySettings

if TYPE_CHECKING:
    from server.telemetry.tracing import Tracing


class Members:
    """Who is behind the members' names, also of those who join later."""

    def __init__(self, assembly: Assembly, ensembles: Ensembles) -> None:
        self._assembly = assembly
        self._ensembles = ensembles

    def who(self, ensemble: str, member: str) -> Identity:
        """The member, its provider as OpenTelemetry calls it; kind ``unknown`` where it has left."""
        with suppress(NotFoundError, KeyError):
            return self._told(self._ensembles.get(ensemble).forecasters[member].identity)
        return Identity("unknown")

    def _told(self, identity: Identity) -> Identity:
        models = self._assembly.language_models
        provider = models.providers.get(identity.provider) if models is not None else None
        return identity if provider is None else replace(identity, provider=provider.flavour.telemetry)


def begin_tracing(settings: TelemetrySettings, members: Members, clock: Clock, version: str) -> "Tracing":
    """Traces to the configured endpoint.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """
    try:
        from server.telemetry.tracing import open_tracing  # noqa: PLC0415 - an extra, only where it is used
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"telemetry -> traces_endpoint: traces need {error.name}; "
            "install consilience-server[otel], or leave it empty"
        ) from None
    return open_tracing(settings, members.who, clock, version)
