# SPDX-License-Identifier: Apache-2.0
"""The mode a server is in, and what happens in it as it happens."""

from dataclasses import dataclass
from datetime import datetime

from consilience._enums import Numbers
from consilience._times import to_datetime
from consilience.prediction import Prediction
from consilience.status import OperatingMode
from consilience.v1 import admin_service_pb2

__all__ = ["Happening", "ModeStatus"]

_MODES = Numbers(OperatingMode, admin_service_pb2.OperatingMode, "OPERATING_MODE_")


@dataclass(frozen=True, slots=True)
class ModeStatus:
    """The mode, why and since when; ``until_time`` is when an operator's choice ends, None: never."""

    mode: OperatingMode
    reason: str
    since_time: datetime
    manual: bool
    until_time: datetime | None
    measured: dict[str, float]

    @classmethod
    def from_message(cls, message: admin_service_pb2.ModeStatus) -> "ModeStatus":
        """From the contract's message."""
        return cls(
            mode=_MODES[message.mode],
            reason=message.reason,
            since_time=to_datetime(message.since_time),
            manual=message.manual,
            until_time=to_datetime(message.until_time) if message.HasField("until_time") else None,
            measured=dict(message.measured),
        )


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened in a server; ``lost``: how many before it did not arrive here."""

    time: datetime
    kind: str
    subject: str
    message: str
    prediction: Prediction | None
    figures: dict[str, float]
    lost: int

    @classmethod
    def from_message(cls, message: admin_service_pb2.WatchEventsResponse) -> "Happening":
        """From the contract's message."""
        answered = message.HasField("prediction")
        return cls(
            time=to_datetime(message.time),
            kind=message.kind,
            subject=message.subject,
            message=message.message,
            prediction=Prediction.from_message(message.prediction) if answered else None,
            figures=dict(message.figures),
            lost=message.lost,
        )
