# SPDX-License-Identifier: Apache-2.0
"""Settings of the cache of answers."""

from pydantic import BaseModel, ConfigDict, Field

DAY_S = 86_400.0


class CacheSettings(BaseModel):
    """Answers of members that cost money or time are kept, and used again where a caller allows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: int = Field(default=10_000, ge=0, le=1_000_000, description="answers kept at most; 0: no cache")
    max_mib: int = Field(default=64, ge=1, le=65_536, description="memory for them, about")
    keep_s: float = Field(default=3_600.0, gt=0, le=30 * DAY_S, description="an answer this old is forgotten")
    max_age_s: float = Field(
        default=0.0,
        ge=0,
        le=30 * DAY_S,
        description="oldest answer for a request that sets no `max_age`; 0: such a request asks anew",
    )
    partial_s: float = Field(
        default=15.0,
        ge=0,
        le=DAY_S,
        description="as `keep_s`, for an answer that lacks members for a passing reason",
    )
    price_tolerance: float = Field(
        default=0.0, ge=0, le=1, description="how far the market's price may have moved since"
    )
    shared: bool = Field(default=False, description="callers may get answers that others paid for")
    similar: bool = Field(
        default=False, description="the answer to the same question in other words will do; docs/caching.md"
    )
    least_similarity: float = Field(
        default=0.9, gt=0, le=1, description="of the words that are left once names, dates and numbers agree"
    )
