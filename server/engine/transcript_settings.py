# SPDX-License-Identifier: Apache-2.0
"""What of the models' inputs and outputs is kept with each prediction."""

from pydantic import BaseModel, ConfigDict, Field

from server.forecasting.transcript import TextBounds


class TranscriptSettings(BaseModel):
    """The texts that models were sent and that they answered with, kept in the prediction's record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: bool = Field(
        default=True, description="false: calls are still listed with times and costs, without their texts"
    )
    max_kib: int = Field(default=256, ge=1, le=16_384, description="of all texts of one prediction")
    max_answer_kib: int = Field(default=32, ge=1, le=4_096, description="one model's answer")

    @property
    def bounds(self) -> TextBounds | None:
        """The bounds; None where no texts are kept."""
        return TextBounds(self.max_kib << 10, self.max_answer_kib << 10) if self.keep else None
