# SPDX-License-Identifier: Apache-2.0
"""Settings of the audit log and of retention."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from server.storage.settings import REFERENCES


class AuditSettings(BaseModel):
    """The ``[audit]`` table."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key: str = Field(
        default="",
        description="Ed25519 key that signs checkpoints, PEM, as env:NAME or file:/path; "
        "empty: a file beside the SQLite database, or var/audit-key.pem",
    )
    checkpoint_s: float = Field(default=60.0, gt=0, le=86_400, description="time between signed checkpoints")
    trusted_keys: tuple[str, ...] = Field(
        default=(), description="public keys (base64) of earlier signing keys, for `audit verify`"
    )

    @field_validator("key")
    @classmethod
    def _refuse_value(cls, value: str) -> str:
        if value and not value.startswith(REFERENCES):
            raise ValueError('must be a reference, for example "file:/etc/consilience/audit-key.pem"')
        return value


class RetentionSettings(BaseModel):
    """The ``[retention]`` table: what is erased by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    predictions_days: float | None = Field(
        default=None, gt=0, description="erase predictions this old, questions and answers; left out: never"
    )
    every_s: float = Field(default=3_600.0, gt=0, description="time between two looks for what is old enough")
