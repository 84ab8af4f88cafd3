# SPDX-License-Identifier: Apache-2.0
"""What members still out can do, method by method; terms as in kernels.leads."""

from kernels import methods
from kernels._jit import part
from kernels._types import Array, Matrix, Vector
from kernels.explained import parameter
from kernels.leads import (
    SPAN,
    add_rows,
    anything,
    gaps_of_limits,
    gaps_of_mean,
    limits_of_mean,
    limits_of_shares,
    limits_of_softmax,
    must_lead,
    stretch,
)
from kernels.members import CHOICE, GREATEST
from kernels.methods import TIE
from kernels.pools import fill
from kernels.reach_evidence import bayesian_gaps, stacked_gaps
from kernels.reach_ranked import ranked_reach
from kernels.special import incomplete_beta
from kernels.votes import has_majority, unanimous

#: Places of ``flags``.
CHOSEN_NOW = 0  # index of the most probable outcome now, -1 if nobody is present
CAN_CHANGE = 1  # 1 where another outcome may still be chosen
CAN_DECIDE = 2  # 1 where the method may reach a decision by its own rule
MUST_DECIDE = 3  # 1 where it will, whatever is still said
FLAGS = 4


@part()
def vote_reach(
    traits: Matrix,
    w: Vector,
    waiting: Array,
    weights: Vector,
    threshold: float,
    weighted: bool,
    sums: Vector,
    gaps: Matrix,
    low: Vector,
    high: Vector,
) -> None:
    """Leads and limits of shares of votes; who is still out may vote for anything, or not at all."""
    fill(sums, 0.0)
    cast = 0.0
    still = 0.0
    for i in range(w.shape[0]):
        if waiting[i] and weights[i] > 0.0:
            still += weights[i] if weighted else 1.0
        elif w[i] > 0.0 and traits[GREATEST, i] >= threshold - TIE:
            vote = w[i] if weighted else 1.0
            sums[int(traits[CHOICE, i])] += vote
            cast += vote
    gaps_of_mean(sums, cast, still, 1.0, gaps)
    limits_of_mean(sums, cast, still, low, high)


@part()
def confident_reach(
    p: Matrix,
    w: Vector,
    confidence: Vector,
    still: float,
    sums: Vector,
    scratch: Vector,
    gaps: Matrix,
    low: Vector,
    high: Vector,
) -> None:
    """Leads and limits of the confidence-weighted pool; who is still out may be certain."""
    for i in range(w.shape[0]):
        scratch[i] = w[i] * confidence[i] if w[i] > 0.0 else 0.0
    heard = add_rows(p, scratch, sums)
    gaps_of_mean(sums, heard, still, 1.0, gaps)
    limits_of_mean(sums, heard, still, low, high)


@part()
def best_reach(
    p: Matrix,
    w: Vector,
    confidence: Vector,
    stated: Vector,
    still: float,
    sums: Vector,
    scratch: Vector,
    gaps: Matrix,
    low: Vector,
    high: Vector,
) -> None:
    """Leads and limits of the most confident member's forecast.

    Who is still out may be more confident than anybody, so only certainty
    already heard, which can be tied but not beaten, limits anything.
    """
    anybody = False
    for i in range(w.shape[0]):
        certain = w[i] > 0.0 and stated.shape[0] == 0 and confidence[i] >= 1.0
        scratch[i] = w[i] if certain else 0.0
        anybody = anybody or certain
    if not anybody:
        anything(gaps, low, high)
        return
    heard = add_rows(p, scratch, sums)
    gaps_of_mean(sums, heard, still, 1.0, gaps)
    limits_of_mean(sums, heard, still, low, high)


@part()
def beta_reach(
    sums: Vector,
    heard: float,
    still: float,
    alpha: float,
    beta: float,
    gaps: Matrix,
    low: Vector,
    high: Vector,
) -> None:
    """Leads and limits of the beta-transformed linear pool: its transform rises with the linear pool."""
    limits_of_mean(sums, heard, still, low, high)
    for c in range(low.shape[0]):
        low[c] = incomplete_beta(alpha, beta, low[c])
        high[c] = incomplete_beta(alpha, beta, high[c])
    if low.shape[0] == 2:
        low[1] = 1.0 - high[0]
        high[1] = 1.0 - low[0]
    limits_of_shares(low, high)
    gaps_of_limits(low, high, gaps)


@part()
def reach_by_method(  # noqa: C901 - one branch a method
    p: Matrix,
    w: Vector,
    waiting: Array,
    weights: Vector,
    still: float,
    method: int,
    parameters: Vector,
    logs: Matrix,
    traits: Matrix,
    prepared: Vector,
    sums: Vector,
    scratch: Vector,
    gaps: Matrix,
    low: Vector,
    high: Vector,
) -> None:
    """Leads and limits for the method; somebody with weight is heard, and somebody is still out."""
    members, outcomes = p.shape
    if method == methods.LINEAR or method == methods.UNANIMOUS:
        heard = add_rows(p, w, sums)
        gaps_of_mean(sums, heard, still, 1.0, gaps)
        limits_of_mean(sums, heard, still, low, high)
    elif method == methods.LOG_ODDS or method == methods.EXTREMISED:
        heard = add_rows(logs, w, sums)
        gaps_of_mean(sums, heard, still, SPAN, gaps)
        if method == methods.EXTREMISED:
            stretch(gaps, parameter(parameters, 0, methods.DEFAULT_EXPONENT))
        limits_of_softmax(gaps, low, high)
    elif method == methods.TRIMMED_MEAN or method == methods.MEDIAN:
        heard = add_rows(p, w, sums)
        order = prepared.reshape((outcomes, members))
        share = 0.5 if method == methods.MEDIAN else parameter(parameters, 0, methods.DEFAULT_TRIM)
        ranked_reach(p, w, heard, still, share, order, sums, gaps, low, high)
    elif method == methods.MAJORITY or method == methods.WEIGHTED_VOTE:
        weighted = method == methods.WEIGHTED_VOTE
        threshold = parameter(parameters, 0, 0.0)
        vote_reach(traits, w, waiting, weights, threshold, weighted, sums, gaps, low, high)
    elif method == methods.CONFIDENCE_WEIGHTED:
        confident_reach(p, w, prepared[:members], still, sums, scratch, gaps, low, high)
    elif method == methods.BEST_CONFIDENCE:
        best_reach(p, w, prepared[:members], parameters, still, sums, scratch, gaps, low, high)
    elif method == methods.BETA_LINEAR:
        heard = add_rows(p, w, sums)
        alpha, beta = parameter(parameters, 0, 1.0), parameter(parameters, 1, 1.0)
        beta_reach(sums, heard, still, alpha, beta, gaps, low, high)
    elif method == methods.BAYESIAN:
        support = prepared.reshape((members, outcomes))
        bayesian_gaps(support, w, waiting, weights, parameters, gaps)
        limits_of_softmax(gaps, low, high)
    elif method == methods.STACKED:
        stacked_gaps(logs, w, waiting, weights, parameters, gaps)
        limits_of_softmax(gaps, low, high)
    else:
        anything(gaps, low, high)


@part()
def decide_flags(
    method: int, traits: Matrix, w: Vector, gaps: Matrix, low: Vector, high: Vector, flags: Vector
) -> None:
    """Whether the method's own rule may, and must, come to a decision; somebody is still out."""
    flags[CAN_DECIDE] = 1.0
    flags[MUST_DECIDE] = 1.0
    if method == methods.MAJORITY:
        flags[CAN_DECIDE] = 1.0 if has_majority(high) else 0.0
        flags[MUST_DECIDE] = 1.0 if has_majority(low) else 0.0
    elif method == methods.WEIGHTED_VOTE:
        flags[MUST_DECIDE] = 1.0 if must_lead(gaps) else 0.0
    elif method == methods.UNANIMOUS:
        flags[CAN_DECIDE] = 1.0 if unanimous(traits, w) else 0.0
        flags[MUST_DECIDE] = 0.0
