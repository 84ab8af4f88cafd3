# SPDX-License-Identifier: Apache-2.0
"""Many queries in one call.

``pool_many`` and ``consensus_many`` take every method and any number of
outcomes, in float64 inside; kernels.binary32 is the fast lane for binary questions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kernels._arrays import checked
from kernels._jit import kernel
from kernels._types import Array, Cube, Matrix, Vector
from kernels.checks import as_array, as_probabilities, require_shape, require_weights
from kernels.explained import look_for_pool, pool_and_explain, pool_weighed, prepare, workspace_size
from kernels.members import TRAITS, use_weights
from kernels.methods import SUMMARY_SIZE, PoolingMethod
from kernels.pooling import check_parameters


@kernel(
    [
        "void(f8[:,:,::1],f8[:,::1],i8,f8[:,::1],f8[::1],f8[:,::1])",
        "void(f4[:,:,::1],f8[:,::1],i8,f8[:,::1],f8[::1],f4[:,::1])",
    ]
)
def pool_rows(
    probabilities: Cube, weights: Matrix, method: int, parameters: Matrix, workspace: Vector, out: Matrix
) -> None:
    """Pool each query's members.

    probabilities (N, M, C), float64 or float32: N queries; NaN rows are absent
    members. weights (N, M), or (1, M) for all. parameters (N, P), or (1, P) for
    all. workspace: at least rows_workspace_size(M, C) places. out (N, C), of the
    type of probabilities: NaN where all are absent. Arithmetic is in float64.
    """
    queries, members, outcomes = probabilities.shape
    cells = members * outcomes
    p = workspace[:cells].reshape((members, outcomes))
    logs = workspace[cells : 2 * cells].reshape((members, outcomes))
    prepared = workspace[2 * cells : 3 * cells]
    traits = workspace[3 * cells : 3 * cells + TRAITS * members].reshape((TRAITS, members))
    used = workspace[3 * cells + TRAITS * members : 3 * cells + (TRAITS + 1) * members]
    pooled = workspace[3 * cells + (TRAITS + 1) * members :][:outcomes]
    for n in range(queries):
        for i in range(members):
            for c in range(outcomes):
                p[i, c] = probabilities[n, i, c]
        own_weights = weights[min(n, weights.shape[0] - 1)]
        own_parameters = parameters[min(n, parameters.shape[0] - 1)]
        use_weights(p, own_weights, used)
        look_for_pool(p, method, logs, traits)
        prepare(p, method, own_parameters, logs, traits, prepared)
        pool_weighed(p, used, method, own_parameters, logs, traits, prepared, pooled)
        for c in range(outcomes):
            out[n, c] = pooled[c]


@kernel("void(f8[:,:,::1],f8[:,::1],i8,f8[:,::1],f8[::1],f8[:,::1],f8[:,::1],f8[:,::1],f8[:,::1])")
def consensus_rows(
    probabilities: Cube,
    weights: Matrix,
    method: int,
    parameters: Matrix,
    workspace: Vector,
    pooled: Matrix,
    used_weights: Matrix,
    contributions: Matrix,
    summary: Matrix,
) -> None:
    """kernels.consensus.pool_and_explain for each query: N rows of everything that it fills.

    probabilities (N, M, C), weights (N, M) or (1, M), parameters (N, P) or
    (1, P), workspace of workspace_size(M, C) places; pooled (N, C),
    used_weights and contributions (N, M), summary (N, SUMMARY_SIZE).
    """
    for n in range(probabilities.shape[0]):
        pool_and_explain(
            probabilities[n],
            weights[min(n, weights.shape[0] - 1)],
            method,
            parameters[min(n, parameters.shape[0] - 1)],
            workspace,
            pooled[n],
            used_weights[n],
            contributions[n],
            summary[n],
        )


def rows_workspace_size(members: int, outcomes: int) -> int:
    """Places of float64 scratch that pool_rows needs."""
    return 3 * members * outcomes + (TRAITS + 1) * members + outcomes


@dataclass(frozen=True, slots=True)
class ConsensusMany:
    """What ``consensus_many`` finds: N queries, M members, C outcomes.

    Attributes:
        pooled: (N, C) probabilities; NaN where all are absent.
        used_weights: (N, M) weights that counted, each row summing to 1.
        contributions: (N, M) leave-one-out contributions to the chosen outcome.
        summary: (N, SUMMARY_SIZE), places named in kernels.methods.
    """

    pooled: Matrix
    used_weights: Matrix
    contributions: Matrix
    summary: Matrix


def pool_many(
    probabilities: Array,
    weights: ArrayLike | None = None,
    method: PoolingMethod = PoolingMethod.LOG_ODDS,
    parameters: ArrayLike = (),
    out: Array | None = None,
) -> Matrix:
    """Pool many queries.

    Args:
        probabilities: (N, M, C) float64 or float32, C-contiguous; rows sum to
            1, a NaN row is an absent member.
        weights: (M,) for all queries or (N, M), >= 0; equal where not given.
        method: How to pool.
        parameters: Of the method, (P,) for all queries or (N, P).
        out: (N, C) of the type of probabilities; a new array where not given.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    p, w, given = _checked_queries(probabilities, weights, method, parameters)
    shape = (p.shape[0], p.shape[2])
    filled = np.empty(shape, p.dtype) if out is None else checked("out", out, p.dtype, shape, writeable=True)
    workspace = np.empty(rows_workspace_size(p.shape[1], p.shape[2]))
    pool_rows(p, w, int(method), given, workspace, filled)
    return filled


def consensus_many(
    probabilities: Array,
    weights: ArrayLike | None = None,
    method: PoolingMethod = PoolingMethod.LOG_ODDS,
    parameters: ArrayLike = (),
) -> ConsensusMany:
    """Pool many queries and say how each pool came about; arguments as pool_many, float64 only.

    Raises:
        ValueError: Names the argument and what it must be.
    """
    checked("probabilities", probabilities, np.float64, (None, None, None))
    p, w, given = _checked_queries(probabilities, weights, method, parameters)
    queries, members, outcomes = p.shape
    found = ConsensusMany(
        np.empty((queries, outcomes)),
        np.empty((queries, members)),
        np.empty((queries, members)),
        np.empty((queries, SUMMARY_SIZE)),
    )
    workspace = np.empty(workspace_size(members, outcomes))
    filled = (found.pooled, found.used_weights, found.contributions, found.summary)
    consensus_rows(p, w, int(method), given, workspace, *filled)
    return found


def _checked_queries(
    probabilities: Array, weights: ArrayLike | None, method: PoolingMethod, parameters: ArrayLike
) -> tuple[Array, Matrix, Matrix]:
    if not isinstance(probabilities, np.ndarray) or probabilities.dtype not in (np.float64, np.float32):
        raise ValueError("probabilities must be a NumPy array of float64 or float32")
    p = checked("probabilities", probabilities, probabilities.dtype, (None, None, None))
    p = as_probabilities("probabilities", p, 3, p.dtype)
    queries, members, outcomes = p.shape
    if members == 0:
        raise ValueError("probabilities must have at least one member in its second dimension")
    w = _rows("weights", np.ones(members) if weights is None else weights, queries)
    require_shape("weights", w, (w.shape[0], members), "one for each member")
    require_weights("weights", w)
    given = _rows("parameters", parameters, queries)
    for row in given:
        check_parameters(PoolingMethod(method), row, members, outcomes)
    return p, w, given


def _rows(name: str, value: ArrayLike, queries: int) -> Matrix:
    rows: Matrix = as_array(name, value, 1 if np.ndim(value) < 2 else 2)
    rows = rows.reshape(1, -1) if rows.ndim == 1 else rows
    if rows.shape[0] not in (1, queries):
        raise ValueError(f"{name} must have one row for all queries or {queries}, not {rows.shape[0]}")
    return rows
