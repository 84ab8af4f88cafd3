# SPDX-License-Identifier: Apache-2.0
"""One frozen ``Settings``, read once, from one TOML file and the environment.

``CONSILIENCE_RPC__LISTEN=127.0.0.1:6000`` overrides ``[rpc] listen``. Unknown
keys are refused with their path. Secrets are references (``env:NAME``,
``file:/path``), never values.
"""

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from server.engine.caching.settings import CacheSettings
from server.engine.caching.watch_settings import WatchSettings
from server.engine.experiment_settings import ArmSettings, ExperimentSettings
from server.engine.gathering import CHOICES
from server.engine.modes.settings import DegradationSettings
from server.engine.settings import DeadlineSettings, EnsembleSettings, LearningSettings, MarketSettings
from server.engine.spending_settings import BudgetSettings, SpendingSettings
from server.engine.transcript_settings import TranscriptSettings
from server.forecasting.ensemble import make_plan
from server.forecasting.errors import ConsilienceError
from server.forecasting.judging import check_judges
from server.forecasting.nesting import check_nesting
from server.inference.settings import InferenceSettings, NetworkSettings
from server.llm.privacy import allowed_fields
from server.llm.settings import ChatSettings, EmbeddingSettings, ProviderSettings
from server.recordings.settings import RecordedSettings, RecordingsSettings
from server.rpc.settings import RpcSettings
from server.storage.audit.settings import AuditSettings, RetentionSettings
from server.storage.settings import StorageSettings
from server.telemetry.settings import TelemetrySettings
from server.training.settings import TrainingSettings

DEFAULT_FILE = Path(__file__).parent / "quickstart.toml"


class ConfigError(Exception):
    """The configuration cannot be used; the message names the file, the path of the key and the mend."""


class MarketPriceSettings(BaseModel):
    """The market's price as a forecaster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["market"]


class NestedSettings(BaseModel):
    """Another ensemble as a forecaster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["ensemble"]
    ensemble: str = Field(description="which of [ensembles.*] answers")


class VerifiedSettings(BaseModel):
    """An ensemble as a forecaster whose answers a second ensemble judges."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["verified"]
    ensemble: str = Field(description="answers")
    judge: str = Field(description="says how likely the answer is right")
    min_approval: float = Field(default=0.5, ge=0, le=1, description="below this the answer is withdrawn")


ForecasterSettings = Annotated[
    RecordedSettings
    | ChatSettings
    | NetworkSettings
    | MarketPriceSettings
    | NestedSettings
    | VerifiedSettings,
    Field(discriminator="kind"),
]


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="CONSILIENCE_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
        # A key pasted in place of its reference must not be echoed in an error.
        hide_input_in_errors=True,
    )

    default_ensemble: str = Field(default="", description="ensemble of a request that names none")
    rpc: RpcSettings = RpcSettings()
    deadline: DeadlineSettings = DeadlineSettings()
    market: MarketSettings = MarketSettings()
    storage: StorageSettings = StorageSettings()
    cache: CacheSettings = CacheSettings()
    degradation: DegradationSettings = DegradationSettings()
    watch: dict[str, WatchSettings] = Field(default_factory=dict)
    learning: LearningSettings = LearningSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    transcripts: TranscriptSettings = TranscriptSettings()
    recordings: RecordingsSettings = RecordingsSettings()
    inference: InferenceSettings = InferenceSettings()
    training: TrainingSettings = TrainingSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    spending: SpendingSettings = SpendingSettings()
    budgets: dict[str, BudgetSettings] = Field(default_factory=dict)
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    embeddings: EmbeddingSettings | None = None
    forecasters: dict[str, ForecasterSettings] = Field(default_factory=dict)
    ensembles: dict[str, EnsembleSettings] = Field(min_length=1)
    experiments: dict[str, ExperimentSettings] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which comes in as initial values."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @model_validator(mode="after")
    def _names_exist(self) -> "Settings":
        for name, ensemble in self.ensembles.items():
            for member in ensemble.members:
                if member not in self.forecasters:
                    raise ValueError(f"ensembles.{name}.members: {member!r} is not defined in [forecasters]")
            _checked(f"ensembles.{name}", lambda name=name, ensemble=ensemble: ensemble.spec(name, 1.0))
        for key, name in (
            ("default_ensemble", self.default_ensemble),
            ("market.ensemble", self.market.ensemble),
        ):
            if name and name not in self.ensembles:
                raise ValueError(f"{key}: {name!r} is not defined in [ensembles]")
        for name, forecaster in self.forecasters.items():
            if isinstance(forecaster, ChatSettings) and forecaster.provider not in self.providers:
                raise ValueError(
                    f"forecasters.{name}.provider: {forecaster.provider!r} is not defined in [providers]"
                )
        self.spending.terms(self.budgets)
        self._experiments_fit()
        self._scopes_exist()
        self._check_fallbacks()
        check_nesting({name: self._inner(ensemble) for name, ensemble in self.ensembles.items()})
        self._judges_may_see()
        return self

    def _scopes_exist(self) -> None:
        for name, budget in self.budgets.items():
            kind, _, member = budget.scope.partition(":")
            if kind == "member" and member not in self.forecasters:
                raise ValueError(f"budgets.{name}.scope: {member!r} is not defined in [forecasters]")

    def _experiments_fit(self) -> None:
        """Each experiment's names exist, and no ensemble has two."""
        default = self.default_ensemble or next(iter(self.ensembles))
        taken: dict[str, str] = {}
        for name, experiment in self.experiments.items():
            ensemble = experiment.ensemble or default
            at = f"experiments.{name}"
            if ensemble not in self.ensembles:
                raise ValueError(f"{at}.ensemble: {ensemble!r} is not defined in [ensembles]")
            if (other := taken.setdefault(ensemble, name)) != name:
                raise ValueError(f"{at}.ensemble: {ensemble!r} has the experiment {other!r} already")
            for arm, settings in experiment.arms.items():
                self._arm_fits(f"{at}.arms.{arm}", settings, ensemble)

    def _arm_fits(self, at: str, arm: ArmSettings, ensemble: str) -> None:
        answering = arm.ensemble or ensemble
        if answering not in self.ensembles:
            raise ValueError(f"{at}.ensemble: {answering!r} is not defined in [ensembles]")
        found = self.ensembles[answering]
        for member in (*arm.members, *arm.weights):
            if member not in found.members:
                raise ValueError(f"{at}: {member!r} is no member of {answering!r}")
        spec = found.spec(answering, 1.0)
        _checked(at, lambda: make_plan(spec, arm.arm("").options, CHOICES))

    def _check_fallbacks(self) -> None:
        for name, watch in self.watch.items():
            if watch.ensemble and watch.ensemble not in self.ensembles:
                raise ValueError(f"watch.{name}.ensemble: {watch.ensemble!r} is not defined in [ensembles]")
        for name, forecaster in self.forecasters.items():
            for other in forecaster.fallbacks if isinstance(forecaster, ChatSettings) else ():
                if other == name or not isinstance(self.forecasters.get(other), ChatSettings):
                    raise ValueError(
                        f"forecasters.{name}.fallbacks: {other!r} is not another [forecasters] of kind chat"
                    )

    def _judges_may_see(self) -> None:
        """Judges read answers, which may repeat whatever their models were shown."""
        for name, verified in self.forecasters.items():
            if not isinstance(verified, VerifiedSettings):
                continue
            judges, answers = (
                {each: self._shown(each) for each in self._providers(ensemble)}
                for ensemble in (verified.judge, verified.ensemble)
            )
            check_judges(name, judges, answers)

    def _providers(self, ensemble: str) -> set[str]:
        """Providers of all models that an ensemble asks, at any depth, those that stand in included."""
        found = self.ensembles[ensemble]
        chats = [chat for name in found.members if isinstance(chat := self.forecasters[name], ChatSettings)]
        substitutes = [self.forecasters[other] for chat in chats for other in chat.fallbacks]
        asked = {chat.provider for chat in (*chats, *substitutes) if isinstance(chat, ChatSettings)}
        return asked.union(*map(self._providers, self._inner(found)))

    def _shown(self, provider: str) -> frozenset[str]:
        settings = self.providers[provider]
        return allowed_fields(settings.policy, settings.allow)

    def _inner(self, ensemble: EnsembleSettings) -> list[str]:
        members = [self.forecasters[member] for member in ensemble.members]
        nested = [member.ensemble for member in members if isinstance(member, NestedSettings)]
        verified = [member for member in members if isinstance(member, VerifiedSettings)]
        return nested + [name for member in verified for name in (member.ensemble, member.judge)]


def _checked(at: str, check: Any) -> None:
    try:
        check()
    except (ValueError, ConsilienceError) as error:
        raise ValueError(f"{at}.{error}") from error


def load(path: Path) -> Settings:
    """Read the file, lay the environment over it, check everything.

    Raises:
        ConfigError: the file cannot be read, or a key is unknown or its value does not fit.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; give one with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    _refuse_misspelt_overrides(os.environ)
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = "\n".join(f"  {_path(item['loc'])}: {_message(item)}" for item in error.errors())
        raise ConfigError(f"{path}:\n{lines}") from None


def _refuse_misspelt_overrides(environment: Iterable[str]) -> None:
    """An override that sets nothing would be a silent mistake; one underscore for two is the usual one.

    Other names that begin so are not ours to judge: a cluster may set CONSILIENCE_SERVICE_HOST.
    """
    prefix = "CONSILIENCE_"
    keys = {
        f"{table}_{key}".upper(): f"{prefix}{table}__{key}".upper()
        for table, field in Settings.model_fields.items()
        if isinstance(model := field.annotation, type) and issubclass(model, BaseModel)
        for key in model.model_fields
    }
    for name in environment:
        if meant := keys.get(name.upper().removeprefix(prefix)) if name.upper().startswith(prefix) else None:
            raise ConfigError(f"environment variable {name} sets nothing; write {meant}")


def _path(loc: tuple[int | str, ...]) -> str:
    """The path as it is in the file: pydantic puts a forecaster's kind behind its name."""
    parts = loc[:2] + loc[3:] if loc[:1] == ("forecasters",) else loc
    return " -> ".join(str(part) for part in parts) or "file"


def _message(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "is not a known key; remove it or correct its name"
    if item["type"] == "missing":
        return "is missing; set it"
    if item["type"] == "union_tag_invalid":
        return f"kind {item['ctx']['tag']!r} is not one of: {item['ctx']['expected_tags']}"
    if item["type"] == "union_tag_not_found":
        return "kind is missing; set it"
    return str(item["msg"]).removeprefix("Value error, ")
