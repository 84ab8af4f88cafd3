# SPDX-License-Identifier: Apache-2.0
"""How near members stay to each other: precisions of a one-factor model, no outcomes needed.

x_rj = z_r + e_rj, e_rj ~ t(freedom, 0, s_j²): what member j says of row r is what
the members have in common, with an error of its own. Letters: R rows, M members.
"""

import math

from kernels._jit import kernel, part
from kernels._types import Matrix, Vector

#: Centres that move less than this have settled.
SETTLED = 1e-12
LEAST_TYPICAL = 1e-9


@part()
def centre_of(x: Vector, weights: Vector) -> float:
    """Weighted mean of those present (not NaN); NaN where nobody has weight."""
    total = 0.0
    mass = 0.0
    for j in range(x.shape[0]):
        if not math.isnan(x[j]):
            total += weights[j] * x[j]
            mass += weights[j]
    return total / mass if mass > 0.0 else math.nan


@kernel("void(f8[:,::1],f8[::1],f8,i8,f8[:,::1])")
def concord_rows(x: Matrix, precision: Vector, freedom: float, rounds: int, out: Matrix) -> None:
    """Weights of each row's answers: precision, less for an answer that is far from the rest.

    x (R, M): NaN is absent. precision (M,) > 0: 1 / s_j². out (R, M): sums to 1 over
    those present, 0 for the absent; all 0 in a row without answers.
    Source: reweighting for t errors, Lange, Little & Taylor (1989).
    """
    members = x.shape[1]
    for r in range(x.shape[0]):
        for j in range(members):
            out[r, j] = 0.0 if math.isnan(x[r, j]) else precision[j]
        centre = centre_of(x[r], out[r])
        for _ in range(rounds):
            for j in range(members):
                if not math.isnan(x[r, j]):
                    far = (x[r, j] - centre) ** 2 * precision[j]
                    out[r, j] = precision[j] * (freedom + 1.0) / (freedom + far)
            before = centre
            centre = centre_of(x[r], out[r])
            if not abs(centre - before) > SETTLED:
                break
        mass = 0.0
        for j in range(members):
            mass += out[r, j]
        for j in range(members):
            out[r, j] = out[r, j] / mass if mass > 0.0 else 0.0


@kernel("void(f8[:,::1],f8,f8,i8,f8[:,::1],f8[::1],f8[::1])")
def concord_precisions(  # noqa: C901 - a loop nest
    x: Matrix,
    prior_answers: float,
    freedom: float,
    rounds: int,
    weights: Matrix,
    squares: Vector,
    precision: Vector,
) -> None:
    """Find the precisions by turns: centres of the rows, then scatter around them (EM).

    x (R, M): NaN is absent, R >= 1. prior_answers > 0: how many answers' worth the
    belief counts that all members scatter alike. weights (R, M), squares (M,):
    scratch. precision (M,): overwritten with 1 / s_j²; a member without answers gets
    the typical one.
    Source: one-factor analysis, Spearman (1904); Lange, Little & Taylor (1989).
    """
    rows, members = x.shape
    for j in range(members):
        precision[j] = 1.0
        for r in range(rows):
            weights[r, j] = 1.0
    for _ in range(rounds):
        for j in range(members):
            squares[j] = 0.0
        answers = 0
        for r in range(rows):
            centre = centre_of(x[r], weights[r])
            for j in range(members):
                if not math.isnan(x[r, j]):
                    far = (x[r, j] - centre) ** 2
                    weights[r, j] = (freedom + 1.0) / (freedom + far * precision[j])
                    squares[j] += far * weights[r, j]
                    answers += 1
        total = 0.0
        for j in range(members):
            total += squares[j]
        typical = max(total / max(answers, 1), LEAST_TYPICAL)
        for j in range(members):
            own = 0
            for r in range(rows):
                own += 0 if math.isnan(x[r, j]) else 1
            precision[j] = (own + prior_answers) / (squares[j] + prior_answers * typical)
            for r in range(rows):
                weights[r, j] *= precision[j]
