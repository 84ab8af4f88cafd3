# SPDX-License-Identifier: Apache-2.0
"""Builds providers and members from settings, and closes them."""

import asyncio
from collections.abc import Mapping

from server.forecasting.deadline import Clock, Deadline, SystemClock
from server.forecasting.purse import Purse
from server.forecasting.query import Query
from server.forecasting.question import Binary, FreeText, Numeric, Question, QuestionKind
from server.llm.attempts import AttemptLog, AttemptObserver
from server.llm.embeddings import ProviderEmbedder, check_trusted
from server.llm.failover import FailoverForecaster
from server.llm.forecaster import ChatForecaster
from server.llm.health import watch_all
from server.llm.provider import CircuitListener, Provider
from server.llm.settings import ChatSettings, EmbeddingSettings, ProviderSettings

_WARM_TEXT = "Will the sun rise tomorrow? (This is a test of the line.)"
_WARM: Mapping[str, QuestionKind] = {
    "binary": Binary(),
    "numeric": Numeric((0.0, 1.0)),
    "free_text": FreeText(),
}


class LanguageModels:
    """All providers in use, and the members that ask there.

    ``fallbacks``: settings of forecasters that members may name to answer in their
    place, beside the members themselves. ``circuits`` is told of every change of a
    breaker.

    Raises:
        ValueError: a member names a provider that does not exist, a prompt
            cannot be read, or a flavour or field is not known.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderSettings],
        members: Mapping[str, ChatSettings],
        *,
        clock: Clock | None = None,
        observer: AttemptObserver | None = None,
        circuits: CircuitListener | None = None,
        fallbacks: Mapping[str, ChatSettings] | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._observer = observer or AttemptLog()
        self._circuits = circuits
        self._settings = providers
        self._known = {**members, **(fallbacks or {})}
        self.providers: dict[str, Provider] = {}
        self._compares: Provider | None = None
        self.forecasters = {name: self._forecaster(name, settings) for name, settings in members.items()}

    @property
    def problems(self) -> list[str]:
        """What an operator should know before the first question, such as a key that is not set."""
        return [
            f"providers.{name}: {problem}"
            for name, provider in self.providers.items()
            for problem in provider.keys.problems
        ]

    def embedder(self, settings: EmbeddingSettings) -> ProviderEmbedder:
        """What tells meanings apart, by a provider's model.

        Raises:
            ValueError: the provider is not known, has no embeddings, or may not be
                shown what the answers may repeat.
        """
        compares = self._provider(settings.provider)
        for provider in self.providers.values():
            check_trusted(compares, provider)
        self._compares = compares
        return ProviderEmbedder(settings, compares)

    def add(self, name: str, settings: ChatSettings) -> ChatForecaster | FailoverForecaster:
        """Build one more member.

        Raises:
            ValueError: as when the room was made.
        """
        self.forecasters[name] = self._forecaster(name, settings)
        return self.forecasters[name]

    async def warm_up(self, deadline: Deadline, purse: Purse | None = None) -> None:
        """Open connections and have schemas compiled, so that the first question need not pay for it.

        Costs what ``warm_kinds`` asks for, which is nothing unless set; ``purse``
        pays for it. Failures are told to the observer and do no harm.
        """
        async with asyncio.TaskGroup() as group:
            for provider in self.providers.values():
                for _ in range(provider.settings.warm_connections):
                    group.create_task(provider.probe(deadline))
        async with asyncio.TaskGroup() as group:
            for forecaster in self.forecasters.values():
                for kind in forecaster.warm_kinds:
                    query = Query(Question("warm-up", _WARM_TEXT, _WARM[kind]), purse=purse)
                    group.create_task(forecaster.forecast(query, deadline))

    async def watch(self) -> None:
        """Run until cancelled: probe providers in trouble, settle estimates. See ``health.py``."""
        await watch_all(self.providers.values())

    async def close(self) -> None:
        """Close all connections."""
        for provider in self.providers.values():
            await provider.close()

    def _forecaster(self, name: str, settings: ChatSettings) -> ChatForecaster | FailoverForecaster:
        try:
            own = self._asked_as(name, settings)
            others = {other: self._asked_as(name, self._known[other]) for other in settings.fallbacks}
        except KeyError as error:
            raise ValueError(f"forecasters.{name}.fallbacks: {error.args[0]!r} is not known") from error
        except ValueError as error:
            raise ValueError(f"forecasters.{name}: {error}") from error
        return FailoverForecaster(own, others) if others else own

    def _asked_as(self, name: str, settings: ChatSettings) -> ChatForecaster:
        """A model as the member of that name, so that the member's budgets and metrics count it."""
        return ChatForecaster(name, settings, self._provider(settings.provider))

    def _provider(self, name: str) -> Provider:
        """A provider is built for its first member: one that nobody asks needs no key."""
        if name not in self._settings:
            known = ", ".join(self._settings) or "none is configured"
            raise ValueError(f"provider {name!r} is not known; configured: {known}")
        if name not in self.providers:
            made = self._made(name)
            if self._compares is not None:
                check_trusted(self._compares, made)
            self.providers[name] = made
        return self.providers[name]

    def _made(self, name: str) -> Provider:
        try:
            return Provider(
                name,
                self._settings[name],
                clock=self._clock,
                observer=self._observer,
                circuits=self._circuits,
            )
        except ValueError as error:
            raise ValueError(f"providers.{name}: {error}") from error
