# SPDX-License-Identifier: Apache-2.0
"""The networks by name. A manifest names one; this is where the name is looked up."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from models.bin_ctabl import BinCtabl, BinCtablConfig
from models.book_memory import BookMemory, BookMemoryConfig
from models.book_mlp import BookMlp, BookMlpConfig
from models.cnn_lstm import CnnLstm, CnnLstmConfig
from models.encoding import INPUTS, Encoding, InputSpec
from models.heads import ForecastNetwork
from models.mlplob import MlpLob, MlpLobConfig
from models.mpd_transformer import MpdTransformer, MpdTransformerConfig
from models.tlob import Tlob, TlobConfig


class Config(Protocol):
    """What the settings of every architecture have in common."""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Book rows ahead, one head each."""
        ...

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """Form of each input, in the order in which ``forward`` takes them."""
        ...


@dataclass(frozen=True, slots=True)
class Architecture:
    """A kind of network: its name, its settings and how it is built."""

    name: str
    config: Callable[..., Config]
    network: Callable[..., ForecastNetwork]

    def build(self, config: Config) -> ForecastNetwork:
        """A network with fresh weights."""
        return self.network(config=config)


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("bin_ctabl", BinCtablConfig, BinCtabl),
        Architecture("book_memory", BookMemoryConfig, BookMemory),
        Architecture("book_mlp", BookMlpConfig, BookMlp),
        Architecture("cnn_lstm", CnnLstmConfig, CnnLstm),
        Architecture("mlplob", MlpLobConfig, MlpLob),
        Architecture("mpd_transformer", MpdTransformerConfig, MpdTransformer),
        Architecture("tlob", TlobConfig, Tlob),
    )
}


def architecture(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        ValueError: there is none.
    """
    found = ARCHITECTURES.get(name)
    if found is None:
        raise ValueError(
            f"architecture: {name!r} is not known; choose from {', '.join(sorted(ARCHITECTURES))}"
        )
    return found


def make_config(name: str, values: Mapping[str, Any]) -> Config:
    """Settings of an architecture from plain values, as JSON and the command line have them.

    Raises:
        ValueError: a name is unknown or a value does not fit.
    """
    kind = architecture(name).config
    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - fields)
    if unknown:
        raise ValueError(
            f"config.{unknown[0]}: {name} has no such setting; it has {', '.join(sorted(fields))}"
        )
    plain: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    if "encoding" in plain:
        plain["encoding"] = Encoding(plain["encoding"])
    return kind(**plain)


def plain_config(config: Config) -> dict[str, Any]:
    """The settings as JSON values."""
    values = dataclasses.asdict(config)  # type: ignore[call-overload]
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def input_specs(config: Config) -> tuple[InputSpec, ...]:
    """Name, shape and type of each of a network's inputs."""
    return tuple(INPUTS[encoding] for encoding in config.encodings)
