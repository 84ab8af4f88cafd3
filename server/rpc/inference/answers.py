# SPDX-License-Identifier: Apache-2.0
"""Ensembles' answers as tensors."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from server.forecasting.prediction import Prediction
from server.inference.servable import Array, TensorForm
from server.rpc.inference.datatypes import DATATYPES, texts
from server.rpc.inference.faults import invalid


@dataclass(frozen=True, slots=True)
class Column:
    """One output: its form, and the values of one answer."""

    form: TensorForm
    of: Callable[[Any], Sequence[Any]]


def column(name: str, datatype: str, of: Callable[[Any], Any], labels: tuple[str, ...] = ()) -> Column:
    """An output of one value."""
    return Column(TensorForm(name, datatype, (1,), labels=labels), lambda answer: [of(answer)])


def columns(
    name: str, datatype: str, of: Callable[[Any], Sequence[Any]], size: int = -1, labels: tuple[str, ...] = ()
) -> Column:
    """An output of one value for each outcome; ``size`` -1 where their number varies."""
    return Column(TensorForm(name, datatype, (size,), labels=labels), of)


def _independent_members(answer: Any) -> float:
    found: float | None = answer.agreement.independent_members
    return math.nan if found is None else found


#: What every ensemble says of an answer beside the probabilities.
COMMON = (
    column("outcome", "BYTES", lambda answer: answer.outcome),
    column("confidence", "FP64", lambda answer: answer.confidence),
    column("meta_confidence", "FP64", lambda answer: answer.meta_confidence),
    column("vote_share", "FP64", lambda answer: answer.agreement.vote_share),
    column("dispersion", "FP64", lambda answer: answer.agreement.dispersion),
    column("effective_members", "FP64", lambda answer: answer.agreement.effective_members),
    column("independent_members", "FP64", _independent_members),
    column("answered", "INT32", lambda answer: answer.agreement.answered),
    column("asked", "INT32", lambda answer: answer.agreement.asked),
    column("decision", "BYTES", lambda answer: answer.decision.action.value),
    column("reason", "BYTES", lambda answer: answer.decision.reason),
)
QUESTION_COLUMNS = (
    columns("probabilities", "FP64", lambda answer: answer.probabilities),
    columns("outcomes", "BYTES", lambda answer: answer.outcomes),
    *COMMON,
    column("explanation", "BYTES", lambda answer: answer.explanation),
    column("prediction_id", "BYTES", lambda answer: answer.id),
)


def market_columns(directions: tuple[str, ...]) -> tuple[Column, ...]:
    """What a market ensemble says."""
    return (
        columns("probabilities", "FP64", lambda answer: answer.probabilities, len(directions), directions),
        *COMMON,
        column("expected_return_bps", "FP64", _expected_return_bps),
    )


def tensors(shown: Sequence[Column], answers: Sequence[Any]) -> list[Array]:
    """The answers to a batch, output by output: (B, n).

    Raises:
        StatusError: INVALID_ARGUMENT; the answers have different numbers of outcomes.
    """
    return [_tensor(each, [each.of(answer) for answer in answers]) for each in shown]


def _tensor(each: Column, rows: Sequence[Sequence[Any]]) -> Array:
    if len({len(row) for row in rows}) > 1:
        raise invalid(
            f"output {each.form.name!r}: the questions of a batch have different numbers of outcomes; "
            "ask those with the same number together"
        )
    wire = DATATYPES[each.form.datatype].wire
    if wire is None:
        return texts([item for row in rows for item in row]).reshape(len(rows), -1)
    return np.array(rows, wire).reshape(len(rows), -1)


def _expected_return_bps(answer: Prediction) -> float:
    """Mean of the members that expect one, by their weights; NaN where none does."""
    parts = [
        (member.weight, member.forecast.expected_return_bps)
        for member in answer.members
        if member.forecast is not None and member.forecast.expected_return_bps is not None
    ]
    total = sum(weight for weight, _ in parts)
    return sum(weight * value for weight, value in parts) / total if total else float("nan")
