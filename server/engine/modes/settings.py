# SPDX-License-Identifier: Apache-2.0
"""Settings of the modes of operation."""

from pydantic import BaseModel, ConfigDict, Field


class DegradationSettings(BaseModel):
    """When the server asks and spends less by itself, and when it returns; docs/operations.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="false: the mode changes by SetMode only")
    window_s: float = Field(
        default=60.0, gt=0, le=3_600, description="what is measured is the last so many seconds"
    )
    look_s: float = Field(default=1.0, gt=0, le=60, description="between two looks at what is measured")
    dwell_s: float = Field(
        default=30.0,
        ge=0,
        le=86_400,
        description="so long things must look better before a mode is left for a better one",
    )
    recovery: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="a mode is left below this part of the threshold that brought it about",
    )
    min_calls: int = Field(
        default=5, ge=1, description="calls of a member in the window before its failures count"
    )
    member_failure_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="a member failing so often, or with an open circuit, is in trouble",
    )
    reduced_share: float = Field(default=0.34, gt=0, le=1, description="paid members in trouble: reduced")
    outage_share: float = Field(default=0.8, gt=0, le=1, description="paid members in trouble: cached_only")
    long_outage_s: float = Field(default=600.0, gt=0, description="cached_only for so long: market_only")
    min_records: int = Field(default=3, ge=1, description="records in the window before failed ones count")
    failed_records_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="records that could not be written: market_only, so that nothing is paid in vain",
    )
    halt_records_share: float = Field(
        default=0.95, gt=0, le=1, description="records that could not be written: halt"
    )
    budget_low_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="left of a budget that covers everything: reduced; nothing left: cached_only",
    )
    trial_s: float = Field(
        default=5.0,
        gt=0,
        description="in an outage, one request in so many seconds asks as if there were none",
    )
    reduced_members: int = Field(default=5, ge=1, description="reduced: paid members asked at most")
