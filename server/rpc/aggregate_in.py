# SPDX-License-Identifier: Apache-2.0
"""The request of ``Aggregate``, read from its bytes and checked.

Most requests hold nothing but probabilities and perhaps weights, both packed
float64: they are read where they lie, and no message is made. Anything else in
the bytes, and the message's own class reads them.
Source: protobuf.dev/programming-guides/encoding.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from consilience.v1 import tensor_pb2
from consilience.v1.predict_service_pb2 import AggregateRequest
from server.forecasting.answers import SUM_TOLERANCE
from server.forecasting.errors import InvalidRequestError
from server.rpc.rules import LEAST_WEIGHT, MOST_WEIGHT, wrong_weight
from server.rpc.wire import LENGTH, malformed, tag

MAX_MEMBERS = 4_096
MAX_OUTCOMES = 64
DEFAULT_POOLING = "log_odds"
DEFAULT_MIN_AGREEMENT = 0.6
DEFAULT_HIGH_AGREEMENT = 0.8

Floats = NDArray[np.float64]

#: What packed doubles are; a made dtype, which NumPy need not look up.
_DOUBLE = np.dtype("<f8")
_DEFAULT_THRESHOLDS = (DEFAULT_MIN_AGREEMENT, DEFAULT_HIGH_AGREEMENT)
_NO_PARAMETERS: Mapping[str, float] = {}
_PROBABILITIES = tag(AggregateRequest, "probabilities", LENGTH)
_WEIGHTS = tag(AggregateRequest, "weights", LENGTH)
_PACKED = frozenset({_PROBABILITIES, _WEIGHTS})
_EQUAL: dict[int, Floats] = {}


class Asked(NamedTuple):
    """What is to be pooled, and how.

    ``probabilities``: (M, C), checked; or (M,) of the first of two outcomes, whose
    range the kernel checks on its way. ``weights`` (M,): 0, or in 1e-50..1e50.
    """

    probabilities: Floats
    weights: Floats
    pooling: str = DEFAULT_POOLING
    parameters: Mapping[str, float] = _NO_PARAMETERS
    thresholds: tuple[float, float] = _DEFAULT_THRESHOLDS


def asked_of(data: bytes) -> Asked:
    """The request in these bytes.

    Raises:
        InvalidRequestError: they are no ``AggregateRequest``, or a field breaks a rule.
    """
    packed = _packed_doubles(data)
    if packed is not None and (values := packed.get(_PROBABILITIES)) is not None:
        _check_members("probabilities", len(values))
        return Asked(values, _checked_weights(packed.get(_WEIGHTS), len(values)))
    try:
        return _asked(AggregateRequest.FromString(data))
    except DecodeError:
        raise malformed(AggregateRequest) from None


def _packed_doubles(data: bytes) -> dict[int, Floats] | None:
    """Probabilities and weights by their tags; None if there is anything else, or either in pieces."""
    found: dict[int, Floats] = {}
    at, end = 0, len(data)
    try:
        while at < end:
            field = data[at]
            if field not in _PACKED or field in found:
                return None
            length = shift = 0
            while (byte := data[at := at + 1]) > 127:
                length |= (byte & 127) << shift
                shift += 7
            length |= byte << shift
            begin, at = at + 1, at + 1 + length
            if length % 8 or at > end:
                return None
            # A bytearray, because the kernels take arrays that may be written to.
            found[field] = np.frombuffer(bytearray(data[begin:at]), _DOUBLE)
    except IndexError:  # cut short
        return None
    return found


def _asked(request: AggregateRequest) -> Asked:
    probabilities = _matrix(request)
    weights = np.array(request.weights) if request.weights else None
    return Asked(
        probabilities,
        _checked_weights(weights, len(probabilities)),
        request.pooling or DEFAULT_POOLING,
        request.parameters,
        _thresholds(request),
    )


def _matrix(request: AggregateRequest) -> Floats:
    if request.HasField("matrix"):
        return _packed_matrix(request)
    values = np.array(request.probabilities[:])
    columns = request.outcome_count
    if columns:
        return _exclusive("probabilities", values, columns, "outcome_count")
    _check_members("probabilities", len(values))
    return values


def _packed_matrix(request: AggregateRequest) -> Floats:
    if request.probabilities:
        raise InvalidRequestError.of("matrix", "give probabilities or matrix, not both")
    values, columns = _unpacked(request.matrix)
    if columns:
        return _exclusive("matrix", values, columns, "matrix.shape")
    _check_members("matrix", len(values))
    _check_range("matrix", values)
    return values


def _exclusive(field: str, values: Floats, columns: int, at: str) -> Floats:
    if not 2 <= columns <= MAX_OUTCOMES:
        raise InvalidRequestError.of(
            at, f"0 (binary) or 2 to {MAX_OUTCOMES} outcomes are wanted, got {columns}"
        )
    if len(values) % columns:
        raise InvalidRequestError.of(field, f"{len(values)} values are no whole rows of {columns} outcomes")
    _check_members(field, len(values) // columns)
    _check_range(field, values)
    matrix = values.reshape(-1, columns)
    sums = matrix.sum(axis=1)
    off = np.abs(sums - 1.0) > SUM_TOLERANCE  # False for a NaN row: an absent member
    off |= np.isnan(sums) & ~np.isnan(matrix).all(axis=1)
    if off.any():
        row = int(off.argmax())
        raise InvalidRequestError.of(
            f"{field}[{row * columns}]",
            f"row {row} sums to {sums[row]:g}; it must sum to 1, or be NaN throughout",
        )
    return np.ascontiguousarray(matrix)


def _check_members(field: str, members: int) -> None:
    if not 1 <= members <= MAX_MEMBERS:
        raise InvalidRequestError.of(field, f"1 to {MAX_MEMBERS:,} members are wanted, got {members:,}")


def _check_range(field: str, values: Floats) -> None:
    outside = (values < 0.0) | (values > 1.0)  # False for NaN: an absent member
    if outside.any():
        index = int(outside.argmax())
        raise InvalidRequestError.of(
            f"{field}[{index}]", f"must be in 0..1 or NaN (absent), got {values[index]:g}"
        )


def _unpacked(tensor: tensor_pb2.Tensor) -> tuple[Floats, int]:
    """The values of a packed matrix and its columns, 0 for a binary one."""
    if tensor.data_type != tensor_pb2.DATA_TYPE_FP64:
        raise InvalidRequestError.of("matrix.data_type", "FP64 is wanted")
    shape = tuple(tensor.shape)
    if len(shape) not in {1, 2} or min(shape) < 0:
        raise InvalidRequestError.of(
            "matrix.shape", f"[members] or [members, outcomes] is wanted, got {list(shape)}"
        )
    if len(tensor.data) != math.prod(shape) * 8:
        raise InvalidRequestError.of(
            "matrix.data",
            f"{math.prod(shape) * 8} bytes are wanted for shape {list(shape)}, got {len(tensor.data)}",
        )
    columns = shape[1] if len(shape) == 2 else 0
    if len(shape) == 2 and columns == 0:
        raise InvalidRequestError.of("matrix.shape", "a matrix needs at least 2 outcomes")
    # A copy: the kernels take writable arrays, and the message owns these bytes.
    return np.frombuffer(tensor.data, dtype=_DOUBLE).astype(np.float64), columns


def _checked_weights(weights: Floats | None, members: int) -> Floats:
    """The weights given; equal ones where none are."""
    if weights is None:
        return _equal(members)
    if len(weights) != members:
        raise InvalidRequestError.of(
            "weights", f"{members} weights are wanted, one a member, got {len(weights)}"
        )
    bad = ~((weights == 0.0) | ((weights >= LEAST_WEIGHT) & (weights <= MOST_WEIGHT)))
    if bad.any():
        index = int(bad.argmax())
        raise InvalidRequestError.of(f"weights[{index}]", wrong_weight(weights[index]))
    return weights


def _equal(members: int) -> Floats:
    weights = _EQUAL.get(members)
    if weights is None:
        weights = _EQUAL[members] = np.ones(members)
    return weights


def _thresholds(request: AggregateRequest) -> tuple[float, float]:
    low_given, high_given = request.HasField("min_agreement"), request.HasField("high_agreement")
    if not low_given and not high_given:
        return _DEFAULT_THRESHOLDS
    low = request.min_agreement if low_given else DEFAULT_MIN_AGREEMENT
    high = request.high_agreement if high_given else max(low, DEFAULT_HIGH_AGREEMENT)
    for field, value in (("min_agreement", low), ("high_agreement", high)):
        if not 0.0 <= value <= 1.0:
            raise InvalidRequestError.of(field, f"must be in 0..1, got {value:g}")
    if high < low:
        raise InvalidRequestError.of(
            "high_agreement", f"{high:g} is below min_agreement {low:g}; give at least that"
        )
    return low, high
