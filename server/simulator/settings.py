# SPDX-License-Identifier: Apache-2.0
"""Settings of the simulator."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SimulatorSettings(BaseModel):
    """Where it listens and how models behave whose names do not say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535, description="0: any free port")
    seed: int = 0
    default: str = Field(default="sim-fast", description="behaviour of names that do not begin with sim")
    models: dict[str, str] = Field(default_factory=dict, description="behaviour by model name")
    keys: tuple[str, ...] = Field(default=(), description="keys that are accepted; none: every key")
    requests_per_minute: int | None = Field(default=None, ge=1, description="for each key and model")
    bill_cancelled: Literal["nothing", "prompt", "generated", "everything"] = "generated"
    input_nano_usd: int = Field(default=1_000, ge=0, description="for one token: 1,000 is 1 USD per million")
    cache_read_nano_usd: int = Field(default=100, ge=0)
    cache_write_nano_usd: int = Field(default=1_250, ge=0)
    output_nano_usd: int = Field(default=4_000, ge=0)
