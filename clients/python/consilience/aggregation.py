# SPDX-License-Identifier: Apache-2.0
"""Pooling of forecasts that the caller brings along."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, Protocol, runtime_checkable

from consilience.prediction import Agreement, Decision, Interval
from consilience.v1 import predict_service_pb2, tensor_pb2

__all__ = ["Aggregation", "ArrayLike", "Probabilities"]


@runtime_checkable
class ArrayLike(Protocol):
    """Anything that NumPy calls an array: ndarray, pandas and polars columns, tensors on the CPU."""

    def __array__(self) -> Any: ...


#: One probability of YES for each member, or one row of C probabilities for each
#: member; None (in an array: a row of NaN) is an absent member.
Probabilities = ArrayLike | Sequence[float | None] | Sequence[Sequence[float] | None]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """The pool of given forecasts; ``AggregateResponse`` explains each field."""

    probabilities: tuple[float, ...]
    outcome_index: int
    confidence: float
    meta_confidence: float
    agreement: Agreement
    interval: Interval | None
    decision: Decision
    weights: tuple[float, ...]
    contributions: tuple[float, ...]

    @property
    def probability(self) -> float:
        """Probability of the first outcome (binary: YES)."""
        return self.probabilities[0]

    @classmethod
    def from_message(cls, message: predict_service_pb2.AggregateResponse) -> "Aggregation":
        """From the contract's message."""
        return cls(
            probabilities=tuple(message.probabilities),
            outcome_index=message.outcome_index,
            confidence=message.confidence,
            meta_confidence=message.meta_confidence,
            agreement=Agreement.from_message(message.agreement),
            interval=Interval.from_message(message.interval) if message.HasField("interval") else None,
            decision=Decision.from_message(message.decision),
            weights=tuple(message.weights),
            contributions=tuple(message.contributions),
        )


def set_probabilities(request: predict_service_pb2.AggregateRequest, values: Probabilities) -> None:
    """Put the members' forecasts into a request: arrays packed, lists as plain numbers.

    Raises:
        ValueError: the rows differ in length, or an array has neither one nor
            two dimensions.
    """
    if isinstance(values, ArrayLike):
        request.matrix.CopyFrom(pack(values))
        return
    width = _width(values)
    request.outcome_count = width
    for index, row in enumerate(values):
        request.probabilities.extend(_row(index, row, width))


def pack(array: ArrayLike) -> tensor_pb2.Tensor:
    """An array as a packed float64 tensor, shape [M] or [M, C]."""
    matrix = array.__array__()
    if matrix.ndim not in (1, 2):
        raise ValueError(f"probabilities has shape {matrix.shape}: give (members,) or (members, outcomes)")
    return tensor_pb2.Tensor(
        data_type=tensor_pb2.DATA_TYPE_FP64,
        shape=list(matrix.shape),
        data=matrix.astype("<f8").tobytes(),
    )


def _width(values: Sequence[float | None] | Sequence[Sequence[float] | None]) -> int:
    """Number of outcomes; 0 for plain probabilities of YES."""
    present = next((row for row in values if row is not None), 0.0)
    return len(present) if isinstance(present, Sequence) else 0


def _row(index: int, row: float | Sequence[float] | None, width: int) -> Sequence[float]:
    if row is None:
        return [nan] * (width or 1)
    if not isinstance(row, Sequence):
        row = [row]
    if len(row) != (width or 1):
        raise ValueError(f"probabilities[{index}] has {len(row)} values, the rows before it {width or 1}")
    return row
