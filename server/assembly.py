# SPDX-License-Identifier: Apache-2.0
"""Builds forecasters and ensembles from their settings.

Rooms that cost much to enter (torch, HTTP clients) are imported only where
something configured is in them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog
from pydantic import TypeAdapter, ValidationError

from server.config import (
    ConfigError,
    ForecasterSettings,
    MarketPriceSettings,
    NestedSettings,
    Settings,
    VerifiedSettings,
)
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.nested import EnsembleForecaster
from server.engine.selecting import SELECTIONS
from server.engine.verified import VerifiedForecaster
from server.forecasting.errors import InvalidRequestError, NotFoundError, PluginError
from server.forecasting.market_price import MarketPrice
from server.forecasting.names import canonical
from server.forecasting.plugins import PLUGINS, POOLING_GROUP, SELECTION_GROUP
from server.forecasting.pooling import POOLINGS
from server.forecasting.ports import Forecaster
from server.inference.settings import InferenceSettings, NetworkSettings
from server.llm.attempts import AttemptObserver
from server.llm.settings import ChatSettings
from server.recordings.errors import RecordingError
from server.recordings.library import RecordingLibrary
from server.recordings.settings import RecordedSettings

if TYPE_CHECKING:
    from server.inference.networks import Networks
    from server.inference.repository import ModelRepository
    from server.inference.servable import ModelSource
    from server.llm.room import LanguageModels

log = structlog.get_logger(__name__)

_FORECASTER: TypeAdapter[ForecasterSettings] = TypeAdapter(ForecasterSettings)


class Assembly:
    """All forecasters and ensembles of one server. Closes what it opened with its stack."""

    def __init__(
        self,
        settings: Settings,
        stack: AsyncExitStack,
        observer: AttemptObserver | None = None,
        circuits: Callable[[str, str, str, str], None] | None = None,
    ) -> None:
        self._settings = settings
        self._stack = stack
        self._observer = observer
        self._circuits = circuits
        self.language_models: LanguageModels | None = None
        self._networks: Networks | None = None
        try:
            self.library = RecordingLibrary.open(settings.recordings)
        except RecordingError as error:
            raise ConfigError(str(error)) from error
        self.ensembles: Ensembles

    async def build(self) -> Ensembles:
        """Build every configured ensemble, and the forecasters that some ensemble uses.

        Raises:
            ConfigError: a recording, an artifact or a key is missing; names the key and the mend.
        """
        used = {member for ensemble in self._settings.ensembles.values() for member in ensemble.members}
        self.language_models = self._language_models(used)
        forecasters = {name: await self._forecaster(name) for name in sorted(used)}
        ensembles = [self._ensemble(name, forecasters) for name in self._settings.ensembles]
        self._check_plugins()
        self._embed(ensembles)
        default = self._settings.default_ensemble or ensembles[0].spec.name
        self.ensembles = Ensembles(ensembles, default, self._settings.market.ensemble)
        return self.ensembles

    def _embed(self, ensembles: list[Ensemble]) -> None:
        if self._settings.embeddings is None:
            return
        if self.language_models is None:
            raise ConfigError("embeddings: no language model is a member of any ensemble; leave it out")
        try:
            embedder = self.language_models.embedder(self._settings.embeddings)
        except ValueError as error:
            raise ConfigError(f"embeddings: {error}") from error
        for ensemble in ensembles:
            ensemble.embedder = embedder

    def _check_plugins(self) -> None:
        """Load the plug-ins that an ensemble names; a request may load others later.

        Raises:
            ConfigError: one is broken.
        """
        for name, ensemble in self._settings.ensembles.items():
            for group, chosen in ((POOLING_GROUP, ensemble.pooling), (SELECTION_GROUP, ensemble.selection)):
                if canonical(chosen) in (*POOLINGS, *SELECTIONS):
                    continue
                try:
                    PLUGINS.get(group, canonical(chosen))
                except PluginError as error:
                    raise ConfigError(f"ensembles -> {name}: {error}") from error

    def _ensemble(self, name: str, forecasters: Mapping[str, Forecaster]) -> Ensemble:
        settings = self._settings.ensembles[name]
        spec = settings.spec(name, self._settings.deadline.default_s)
        return Ensemble(spec, {member: forecasters[member] for member in settings.members})

    async def _forecaster(self, name: str) -> Forecaster:
        try:
            forecaster = await self._made(name, self._settings.forecasters[name])
        except (RecordingError, ValueError) as error:
            raise ConfigError(f"forecasters -> {name}: {error}") from error
        self._stack.push_async_callback(forecaster.close)
        return forecaster

    def _language_models(self, used: Set[str]) -> "LanguageModels | None":
        chats = {
            name: forecaster
            for name in sorted(used)
            if isinstance(forecaster := self._settings.forecasters[name], ChatSettings)
        }
        return self._opened(chats) if chats else None

    def _opened(self, chats: Mapping[str, ChatSettings]) -> "LanguageModels":
        from server.llm.room import LanguageModels  # noqa: PLC0415 - HTTP clients, only where they are used

        try:
            models = LanguageModels(
                self._settings.providers,
                chats,
                observer=self._observer,
                circuits=self._circuits,
                fallbacks=self._fallbacks(chats),
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self._stack.push_async_callback(models.close)
        for problem in models.problems:
            log.warning("configuration_problem", problem=problem)
        return models

    def _fallbacks(self, chats: Mapping[str, ChatSettings]) -> dict[str, ChatSettings]:
        """Settings of those whom a member in use names to answer in its place."""
        named = {name for chat in chats.values() for name in chat.fallbacks}
        return {
            name: other
            for name in named
            if isinstance(other := self._settings.forecasters[name], ChatSettings)
        }

    def _chat(self, name: str, settings: ChatSettings) -> Forecaster:
        if self.language_models is None:
            self.language_models = self._opened({})
        if name in self.language_models.forecasters and settings is self._settings.forecasters.get(name):
            return self.language_models.forecasters[name]
        return self.language_models.add(name, settings)

    async def _loaded_networks(self) -> "Networks":
        if self._networks is None:
            # In a thread: importing and loading block, and what else is starting need not wait.
            self._networks = await asyncio.to_thread(_load, self._settings.inference, self._member_networks())
            self._stack.push_async_callback(self._networks.close)
        return self._networks

    async def network_versions(self) -> "ModelRepository":
        """The networks that are served, loaded at the first call where nothing else needs them.

        Raises:
            ValueError: one cannot be loaded.
        """
        return (await self._loaded_networks()).repository

    def _member_networks(self) -> set[str]:
        members = (
            self._settings.forecasters[name]
            for ensemble in self._settings.ensembles.values()
            for name in ensemble.members
        )
        return {member.artifact for member in members if isinstance(member, NetworkSettings)}

    async def models(self) -> "Sequence[ModelSource]":
        """The sources of models beside the ensembles; what no ensemble needs begins to load, unawaited.

        Raises:
            ConfigError: the repository cannot be used.
        """
        if self._networks is None and not self._settings.inference.load:
            return []
        try:
            networks = await self._loaded_networks()
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if rest := networks.announce_rest():
            loading = asyncio.create_task(networks.load_rest(rest))
            # Close waits for the network that is being loaded; the others are not begun.
            self._stack.push_async_callback(asyncio.wait, [loading])
            self._stack.callback(networks.stop_loading)
        return [networks.models]

    def _find(self, ensemble: str) -> Ensemble:
        return self.ensembles.get(ensemble)

    async def add(self, name: str, definition: str) -> Forecaster:
        """One more forecaster: configured under its name, or defined in JSON as a ``[forecasters]`` table.

        Raises:
            NotFoundError: nothing is defined and nothing of that name is configured.
            InvalidRequestError: the definition is faulty, or what it names cannot be opened.
        """
        settings = self._defined(name, definition)
        try:
            forecaster = await self._made(name, settings)
        except (RecordingError, ConfigError, ValueError) as error:
            raise InvalidRequestError.of("definition", str(error)) from error
        self._stack.push_async_callback(forecaster.close)
        return forecaster

    def _defined(self, name: str, definition: str) -> ForecasterSettings:
        configured = self._settings.forecasters.get(name)
        if not definition:
            if configured is None:
                known = ", ".join(sorted(self._settings.forecasters))
                raise NotFoundError("forecaster", name, f"give a definition, or one of: {known}")
            return configured
        if configured is not None:
            raise InvalidRequestError.of("definition", f"{name!r} is configured; leave the definition out")
        try:
            settings = _FORECASTER.validate_json(definition)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            listed = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in faults)
            raise InvalidRequestError.of("definition", listed) from None
        if isinstance(settings, NestedSettings) and settings.ensemble not in self._settings.ensembles:
            raise InvalidRequestError.of("definition", f"ensemble {settings.ensemble!r} is not known")
        return settings

    async def _made(self, name: str, settings: ForecasterSettings) -> Forecaster:
        if isinstance(settings, RecordedSettings):
            return self.library.forecaster(settings)
        if isinstance(settings, MarketPriceSettings):
            return MarketPrice()
        if isinstance(settings, NestedSettings):
            return EnsembleForecaster(settings.ensemble, self._find)
        if isinstance(settings, VerifiedSettings):
            return VerifiedForecaster(settings.ensemble, settings.judge, self._find, settings.min_approval)
        if isinstance(settings, ChatSettings):
            return self._chat(name, settings)
        if isinstance(settings, NetworkSettings):
            return (await self._loaded_networks()).forecaster(settings)
        raise TypeError(f"no forecaster for {type(settings).__name__}")


def _load(settings: InferenceSettings, first: Set[str]) -> "Networks":
    from server.inference.networks import Networks  # noqa: PLC0415 - torch, only where it is used

    return Networks(settings, first=first)
