# SPDX-License-Identifier: Apache-2.0
"""Stored answers as learning sees them, without opening a document."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, TextClause, text

from server.forecasting.outcomes import Case
from server.storage.outcomes.versions import chunks

Floats = NDArray[np.float64]
#: Kind and outcomes of a question.
Form = tuple[str, tuple[str, ...]]

_COLUMNS = """
SELECT p.id, p.question_id, p.ensemble, p.kind, p.create_time_us,
       coalesce(p.asked_time_us, p.create_time_us) AS asked_us, p.outcomes, p.raw_probabilities,
       p.probabilities, p.origin, p.source, p.category, p.horizon_days, p.regime, p.price_is_fresh,
       m.member, m.probabilities, m.raw_weight, m.latency_us, m.cost_nano_usd, m.is_price
FROM predictions p JOIN member_forecasts m ON m.prediction_id = p.id AND NOT m.late
"""
_JUDGED = _COLUMNS + "WHERE p.question_id IN ({ids}) AND p.kind <> 'free_text' ORDER BY p.id, m.position"
_NAMED = _COLUMNS + "WHERE p.id IN ({ids}) AND p.kind <> 'free_text' ORDER BY p.id, m.position"
_ASKED = """
SELECT DISTINCT question_id, kind, CASE kind WHEN 'numeric' THEN '[]' ELSE outcomes END
FROM predictions WHERE question_id IN ({ids}) AND kind <> 'free_text'
"""
_IDS = "SELECT id, create_time_us FROM predictions WHERE create_time_us >= :since"
#: Columns of the prediction; those of its members follow.
_OWN = 15


def judged(connection: Connection, question_ids: Sequence[str]) -> list[Case]:
    """All answers to these questions."""
    return _found(connection, _JUDGED, question_ids)


def named(connection: Connection, prediction_ids: Sequence[str]) -> list[Case]:
    """The answers with these ids."""
    return _found(connection, _NAMED, prediction_ids)


def asked(
    connection: Connection, question_ids: Sequence[str]
) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Kinds and outcomes (none of a number) of the questions that were asked under these ids."""
    found: dict[str, list[Form]] = {}
    for sql, names in _in_chunks(_ASKED, question_ids):
        for question_id, kind, outcomes in connection.execute(sql, names):
            found.setdefault(question_id, []).append((kind, tuple(json.loads(outcomes))))
    return found


def ids_since(connection: Connection, since_us: int) -> list[tuple[str, int]]:
    """Id and time of every answer created at or after an instant."""
    return [(row[0], row[1]) for row in connection.execute(text(_IDS), {"since": since_us})]


def _found(connection: Connection, sql: str, ids: Sequence[str]) -> list[Case]:
    found: list[Case] = []
    for wanted, names in _in_chunks(sql, ids):
        found += _cases(connection.execute(wanted, names))
    return sorted(found, key=lambda case: (case.asked_us, case.question_id, case.prediction_id))


def _in_chunks(sql: str, ids: Sequence[str]) -> Iterator[tuple[TextClause, dict[str, str]]]:
    for chunk in chunks(ids):
        names = {f"id{place}": name for place, name in enumerate(chunk)}
        yield text(sql.format(ids=", ".join(f":{name}" for name in names))), names


def _cases(rows: Iterable[Any]) -> Iterator[Case]:
    for _, group in itertools.groupby(rows, key=lambda row: row[0]):
        yield _case([tuple(row) for row in group])


def _case(rows: Sequence[tuple[Any, ...]]) -> Case:
    own, members = rows[0][:_OWN], [row[_OWN:] for row in rows]
    raw = np.frombuffer(own[7], "<f8")
    return Case(
        prediction_id=own[0],
        question_id=own[1],
        ensemble=own[2],
        kind=own[3],
        created_us=own[4],
        asked_us=own[5],
        members=tuple(member[0] for member in members),
        probabilities=_matrix(own[3], [member[1] for member in members], len(raw)),
        weights=np.array([member[2] or 0.0 for member in members]),
        raw=raw,
        said=np.frombuffer(own[8], "<f8"),
        seconds=_scaled([member[3] for member in members], 1e-6),
        usd=_scaled([member[4] for member in members], 1e-9),
        price=next((place for place, member in enumerate(members) if member[5]), None),
        price_is_fresh=bool(own[14]),
        origin=own[9],
        source=own[10],
        category=own[11],
        horizon_days=own[12],
        regime=own[13],
        outcomes=tuple(json.loads(own[6])),
    )


def _matrix(kind: str, said: Sequence[bytes | None], columns: int) -> Floats:
    """(M, C); a number's cumulative probabilities become the masses between grid points."""
    matrix = np.full((len(said), columns), np.nan)
    for row, values in enumerate(said):
        if values is None:
            continue
        own = np.frombuffer(values, "<f8")
        if kind == "numeric":
            own = np.diff(np.concatenate([[0.0], own, [1.0]]))
        if len(own) == columns:
            matrix[row] = own
    return matrix


def _scaled(values: Sequence[int | None], unit: float) -> Floats:
    return np.array([np.nan if value is None else value * unit for value in values])
