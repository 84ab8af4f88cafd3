# SPDX-License-Identifier: Apache-2.0
"""Settings of logs, metrics and traces."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from server.addresses import split_address


class TelemetrySettings(BaseModel):
    """How the server speaks about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least that is logged"
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, JSON elsewhere"
    )
    metrics_listen: str = Field(
        default="127.0.0.1:9464", description="HOST:PORT of /metrics; port 0: any free port; empty: none"
    )
    traces_endpoint: str = Field(
        default="",
        description="URL that takes OTLP over HTTP, as http://127.0.0.1:4318/v1/traces; empty: no traces. "
        "Secret headers come from OTEL_EXPORTER_OTLP_HEADERS",
    )
    traces_share: float = Field(default=1.0, gt=0, le=1, description="share of predictions that are traced")
    traces_content: bool = Field(
        default=False,
        description="also outcomes, explanations, rationales and messages of failures: may quote questions",
    )
    service_name: str = Field(default="consilience", min_length=1, description="service.name in traces")

    @field_validator("metrics_listen")
    @classmethod
    def _is_address(cls, listen: str) -> str:
        if listen:
            split_address(listen)
        return listen

    @field_validator("traces_endpoint")
    @classmethod
    def _is_url(cls, endpoint: str) -> str:
        if not endpoint:
            return endpoint
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write a whole URL, as http://127.0.0.1:4318/v1/traces")
        if parts.username is not None or parts.password is not None or parts.query:
            raise ValueError("holds a secret or a query; put secrets into OTEL_EXPORTER_OTLP_HEADERS")
        return endpoint
