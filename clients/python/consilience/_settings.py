# SPDX-License-Identifier: Apache-2.0
"""What every call of a client has in common."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consilience.security import TLS, is_local

#: Methods that may be sent again after UNAVAILABLE: reads, pure ones, and those
#: whose ``request_id`` lets the server recognise the repetition.
_RETRIED = {
    "consilience.v1.PredictService": (
        "Predict",
        "BatchPredict",
        "Aggregate",
        "EstimateCost",
        "SubmitPrediction",
        "GetPrediction",
        "ListQuestions",
        "GetQuestion",
    ),
    "consilience.v1.StreamService": ("StreamPredictions",),
    "consilience.v1.AdminService": ("GetStatus", "ListMembers"),
}
_RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_KEY_PREFIX = "x-consilience-key-"
_MEBIBYTE = 1024 * 1024

Metadata = tuple[tuple[str, str], ...]


def service_config() -> str:
    """The gRPC service config: what is retried, and a brake for when all goes wrong."""
    names = [
        {"service": service, "method": method} for service, methods in _RETRIED.items() for method in methods
    ]
    return json.dumps(
        {
            "methodConfig": [{"name": names, "retryPolicy": _RETRY_POLICY}],
            "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
        }
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """The arguments of a client, checked."""

    address: str
    deadline_s: float
    network_margin_s: float
    tls: TLS | None
    token: str | None = field(repr=False)
    provider_keys: Mapping[str, str] = field(repr=False)
    metadata: Metadata = field(repr=False)
    allow_plaintext_secrets: bool
    channel_options: tuple[tuple[str, object], ...]

    def __post_init__(self) -> None:
        """Refuse times that make no sense, and secrets on an open wire."""
        for name in ("deadline_s", "network_margin_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: give a number of seconds above 0")
        if self.token or self.provider_keys:
            self._check_wire("token and provider_keys")

    def _check_wire(self, secrets: str) -> None:
        if self.tls is None and not self.allow_plaintext_secrets and not is_local(self.address):
            raise ValueError(
                f"{secrets} would cross the network to {self.address} in clear text: "
                "give tls=TLS(), or allow_plaintext_secrets=True where something else encrypts"
            )

    def rpc_timeout_s(self, deadline_s: float | None) -> float:
        """How long to wait for an answer that is due after ``deadline_s``."""
        return (self.deadline_s if deadline_s is None else deadline_s) + self.network_margin_s

    def call_metadata(self, provider_keys: Mapping[str, str] | None = None) -> Metadata:
        """Token, own metadata and provider keys, those of the call before those of the client."""
        if provider_keys:
            self._check_wire("provider_keys")
        keys = {**self.provider_keys, **(provider_keys or {})}
        token = (("authorization", f"Bearer {self.token}"),) if self.token else ()
        return (*token, *self.metadata, *((_KEY_PREFIX + name, key) for name, key in keys.items()))

    def options(self, version: str) -> Sequence[tuple[str, object]]:
        """Channel options; the caller's own come last and win."""
        name = (("grpc.ssl_target_name_override", self.tls.server_name),) if self.tls else ()
        return [
            ("grpc.service_config", service_config()),
            ("grpc.primary_user_agent", f"consilience-python/{version}"),
            ("grpc.max_receive_message_length", 64 * _MEBIBYTE),
            # A restarted server is found again quickly.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
            *(pair for pair in name if pair[1]),
            *self.channel_options,
        ]
