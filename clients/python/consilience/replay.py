# SPDX-License-Identifier: Apache-2.0
"""A stored prediction computed again from its record."""

from dataclasses import dataclass
from enum import StrEnum

from consilience._enums import Numbers
from consilience.prediction import Prediction
from consilience.v1 import admin_service_pb2

__all__ = ["Replay", "ReplayVerdict"]


class ReplayVerdict(StrEnum):
    """How a replay compares with its record."""

    UNSPECIFIED = "unspecified"
    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    DIFFERENT = "different"


_VERDICTS = Numbers(ReplayVerdict, admin_service_pb2.ReplayVerdict, "REPLAY_VERDICT_")


@dataclass(frozen=True, slots=True)
class Replay:
    """IDENTICAL: the same bits. EQUIVALENT: within 1e-12, where another ``build`` computed the stored one."""

    verdict: ReplayVerdict
    differences: tuple[str, ...]
    stored: Prediction
    replayed: Prediction
    stored_build: str
    build: str

    @classmethod
    def from_message(cls, message: admin_service_pb2.ReplayPredictionResponse) -> "Replay":
        """From the contract's message."""
        return cls(
            verdict=_VERDICTS[message.verdict],
            differences=tuple(message.differences),
            stored=Prediction.from_message(message.stored),
            replayed=Prediction.from_message(message.replayed),
            stored_build=message.stored_build,
            build=message.build,
        )
