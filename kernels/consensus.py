# SPDX-License-Identifier: Apache-2.0
"""One query's whole consensus in one call: the hot path of every answer."""

import numpy as np

from kernels import methods
from kernels._jit import kernel
from kernels._types import Matrix, Vector
from kernels.explained import pool_and_explain, workspace_size

NO_PARAMETERS: Vector = np.empty(0)


@kernel("void(f8[:,::1],f8[::1],i8,f8[::1],f8[::1])", brief=True)
def consensus(
    probabilities: Matrix, weights: Vector, method: int, parameters: Vector, buffer: Vector
) -> None:
    """pool_and_explain into one buffer: every array in a call from Python costs a fifth of a microsecond.

    probabilities (M, C); buffer, of at least buffer_size(M, C) places: summary
    (SUMMARY_SIZE,), pooled (C,), used_weights (M,), contributions (M,), then scratch.
    """
    members, outcomes = probabilities.shape
    used = methods.SUMMARY_SIZE + outcomes
    contributions = used + members
    workspace = contributions + members
    pool_and_explain(
        probabilities,
        weights,
        method,
        parameters,
        buffer[workspace:],
        buffer[methods.SUMMARY_SIZE : used],
        buffer[used:contributions],
        buffer[contributions:workspace],
        buffer[: methods.SUMMARY_SIZE],
    )


@kernel("i8(f8[::1],f8[::1],i8,f8[::1],f8[::1])", brief=True)
def binary_consensus(first: Vector, weights: Vector, method: int, parameters: Vector, buffer: Vector) -> int:
    """Consensus for two outcomes, of the first one's probabilities.

    first (M,): NaN is absent. buffer: of at least buffer_size(M, 2) + 2 M
    places. Returns -1, or the index of a probability outside 0..1; then nothing
    has been pooled.
    """
    members = first.shape[0]
    end = buffer.shape[0]
    probabilities = buffer[end - 2 * members :].reshape((members, 2))
    for i in range(members):
        if first[i] < 0.0 or first[i] > 1.0:
            return i
        probabilities[i, 0] = first[i]
        probabilities[i, 1] = 1.0 - first[i]
    consensus(probabilities, weights, method, parameters, buffer[: end - 2 * members])
    return -1


def results_size(members: int, outcomes: int) -> int:
    """Places of a consensus' results in its buffer."""
    return methods.SUMMARY_SIZE + outcomes + 2 * members


def buffer_size(members: int, outcomes: int) -> int:
    """Places of float64 that consensus needs: results, then scratch."""
    return results_size(members, outcomes) + workspace_size(members, outcomes)


class Consensus:
    """Buffers for one shape, and a call that fills them: no allocation per query.

    Not for use by two threads at once. Arguments are trusted; data that
    come from outside go through kernels.pooling.pool first.

    Attributes:
        results: (results_size(M, C),) the four below in one, in this order.
        summary: (SUMMARY_SIZE,), places named in kernels.methods.
        pooled: (C,) probabilities of the pool.
        used_weights: (M,) weights that counted, summing to 1.
        contributions: (M,) leave-one-out contributions to the chosen outcome.
    """

    __slots__ = ("_buffer", "contributions", "pooled", "results", "summary", "used_weights")

    def __init__(self, members: int, outcomes: int) -> None:
        self._buffer = np.empty(buffer_size(members, outcomes) + 2 * members)
        self.results: Vector = self._buffer[: results_size(members, outcomes)]
        self.summary: Vector = self.results[: methods.SUMMARY_SIZE]
        self.pooled: Vector = self.results[methods.SUMMARY_SIZE :][:outcomes]
        self.used_weights: Vector = self.results[-2 * members : len(self.results) - members]
        self.contributions: Vector = self.results[-members:]

    def __call__(
        self,
        probabilities: Matrix,
        weights: Vector,
        method: int = methods.LOG_ODDS,
        parameters: Vector = NO_PARAMETERS,
    ) -> Vector:
        """Pool (M, C) probabilities with (M,) weights; returns ``pooled``, overwritten by the next call."""
        consensus(probabilities, weights, method, parameters, self._buffer)
        return self.pooled

    def binary(self, first: Vector, weights: Vector, method: int, parameters: Vector) -> int:
        """Pool two outcomes from the first one's (M,) probabilities.

        Returns -1, or the index of a probability outside 0..1; then nothing has been pooled.
        """
        return binary_consensus(first, weights, method, parameters, self._buffer)
