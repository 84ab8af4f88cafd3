# SPDX-License-Identifier: Apache-2.0
"""How an ensemble is asked, as keyword arguments."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import TypedDict

from consilience._times import to_duration
from consilience.v1 import prediction_pb2

__all__ = ["Durability", "Options"]


class Durability(StrEnum):
    """What "answered" promises about the record."""

    DURABLE = "durable"
    DEADLINE_FIRST = "deadline_first"
    NONE = "none"


class Options(TypedDict, total=False):
    """Keyword arguments of ``predict``, ``batch_predict`` and ``stream``.

    What is left out takes the ensemble's configured value. Times are seconds.
    """

    ensemble: str
    members: Sequence[str]
    pooling: str
    execution: str
    selection: str
    weighting: str
    calibration: str
    deadline_s: float
    member_timeout_s: float
    min_responses: int
    min_agreement: float
    high_agreement: float
    early_stop_threshold: float
    max_cost_usd: float | Decimal
    share_market_price: bool
    durability: Durability
    weights: Mapping[str, float]
    tags: Mapping[str, str]
    #: Oldest cached answer that will do; 0: ask anew.
    max_age_s: float
    #: The cached answer to the same question in other words will do.
    similar: bool
    min_consensus: float
    hedge_delay_s: float
    confidence_threshold: float
    #: Your own keys by the name of the provider; sent as metadata, never stored.
    provider_keys: Mapping[str, str]


_DURATIONS = {
    "deadline_s": "deadline",
    "member_timeout_s": "member_timeout",
    "max_age_s": "max_age",
    "hedge_delay_s": "hedge_delay",
}
_SCALARS = (
    "ensemble",
    "pooling",
    "execution",
    "selection",
    "weighting",
    "calibration",
    "min_responses",
    "min_agreement",
    "high_agreement",
    "early_stop_threshold",
    "share_market_price",
    "similar",
    "min_consensus",
    "confidence_threshold",
)


def to_message(options: Options) -> prediction_pb2.PredictOptions:
    """As the contract's message.

    Raises:
        TypeError: an option is not known; names it.
        ValueError: a time is negative.
    """
    unknown = sorted(options.keys() - Options.__annotations__.keys())
    if unknown:
        known = ", ".join(sorted(Options.__annotations__))
        raise TypeError(f"unknown option {unknown[0]!r}; known are {known}")
    durability = options.get("durability")
    message = prediction_pb2.PredictOptions(
        durability=None if durability is None else "DURABILITY_" + Durability(durability).upper(),
        members=options.get("members", ()),
        weights=options.get("weights", {}),
        tags=options.get("tags", {}),
    )
    given: Mapping[str, object] = {name: value for name, value in options.items() if value is not None}
    for name in given.keys() & _SCALARS:
        setattr(message, name, given[name])
    for name, field in _DURATIONS.items():
        seconds = given.get(name)
        if isinstance(seconds, int | float):
            getattr(message, field).CopyFrom(to_duration(name, seconds))
    if "max_cost_usd" in given:
        message.max_cost_nano_usd = to_nano_usd(options["max_cost_usd"])
    return message


def to_nano_usd(usd: float | Decimal) -> int:
    """US dollars as whole billionths, rounded down so that a limit is never raised.

    >>> to_nano_usd(0.1)
    100000000
    """
    return int((Decimal(str(usd)) * 1_000_000_000).to_integral_value(ROUND_FLOOR))
