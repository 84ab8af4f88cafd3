# SPDX-License-Identifier: Apache-2.0
"""Settings of logs and metrics."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TelemetrySettings(BaseModel):
    """How the server speaks about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, JSON elsewhere"
    )
    metrics_listen: str = Field(
        default="127.0.0.1:9464", description="HOST:PORT of /metrics; port 0: any free port; empty: none"
    )
