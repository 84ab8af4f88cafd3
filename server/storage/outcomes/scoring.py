# SPDX-License-Identifier: Apache-2.0
"""Scores of stored member forecasts, many at a time.

Shapes: N forecasts of one kind, C outcomes (for a number: G grid points).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from server.forecasting.normalization import normalise
from server.forecasting.outcomes import InForce
from server.forecasting.question import Normalization
from server.storage.outcomes.versions import chunks

Floats = NDArray[np.float64]
Row = tuple[Any, ...]

#: Probabilities are held so far from 0 where their logarithm is taken.
CLAMP = 1e-6

#: Forecasts that the outcome in force judges and that have no score from it yet.
_WANTED = """
SELECT p.question_id, p.kind, p.outcomes, m.prediction_id, m.position, m.probabilities,
       m.self_confidence, m.text
FROM predictions p JOIN member_forecasts m ON m.prediction_id = p.id
JOIN outcomes o ON o.question_id = p.question_id
WHERE p.question_id IN ({ids}) AND m.probabilities IS NOT NULL
  AND coalesce(p.asked_time_us, p.create_time_us) < o.known_time_us
  AND o.result IN ('outcome', 'fraction', 'value')
  AND o.version = (SELECT max(version) FROM outcomes WHERE question_id = p.question_id)
  AND NOT EXISTS (SELECT 1 FROM forecast_scores s WHERE s.prediction_id = m.prediction_id
                  AND s.position = m.position AND s.version = o.version)
"""
_ADD = (
    "INSERT INTO forecast_scores (prediction_id, position, version, brier, log_score, correct) "
    "VALUES ({values})"
)


def score(connection: Connection, judged: Mapping[str, InForce]) -> dict[str, int]:
    """Score what has no score yet; how many for each question."""
    counts: dict[str, int] = defaultdict(int)
    for chunk in chunks(list(judged)):
        rows = _wanted(connection, chunk)
        scored = list(_scored(rows, judged))
        _add(connection, scored)
        for question_id, _ in scored:
            counts[question_id] += 1
    return counts


def _wanted(connection: Connection, ids: Sequence[str]) -> Sequence[Row]:
    names = {f"id{place}": name for place, name in enumerate(ids)}
    sql = _WANTED.format(ids=", ".join(f":{name}" for name in names))
    return connection.execute(text(sql), names).fetchall()


def _add(connection: Connection, scored: Sequence[tuple[str, Row]]) -> None:
    if not scored:
        return
    rows = [row for _, row in scored]
    if connection.dialect.driver == "pysqlite":
        driver: Any = connection.connection.driver_connection
        driver.executemany(_ADD.format(values=", ".join("?" * 6)), rows)
    else:
        connection.exec_driver_sql(_ADD.format(values=", ".join(f"${i}" for i in range(1, 7))), rows)


def _scored(rows: Sequence[Row], judged: Mapping[str, InForce]) -> Iterable[tuple[str, Row]]:
    """Question and score row of each forecast that fits its outcome."""
    alike: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in rows:
        alike[row[1], row[2], len(row[5])].append(row)
    for (kind, outcomes, _), group in alike.items():
        truths = [_truth(kind, json.loads(outcomes), judged[row[0]]) for row in group]
        kept = [i for i, happened in enumerate(truths) if happened is not None]
        if kind == "free_text":
            yield from _free_text(group, judged)
        elif kept:
            happened = np.array([truths[i] for i in kept])
            chosen = [group[i] for i in kept]
            yield from _rows(chosen, _scores(kind, _matrix(chosen), happened), judged)


def _matrix(rows: Sequence[Row]) -> Floats:
    return np.frombuffer(b"".join(row[5] for row in rows), "<f8").reshape(len(rows), -1)


def _truth(kind: str, outcomes: Sequence[Any], known: InForce) -> Floats | None:
    """(C,) how far each outcome happened, or (G,) whether the number is at most each grid point."""
    resolution = known.resolution
    if kind == "numeric":
        if resolution.value is None:
            return None
        return np.asarray(resolution.value <= np.array(outcomes, dtype=np.float64), dtype=np.float64)
    if kind == "binary" and resolution.fraction is not None:
        return np.array([resolution.fraction, 1.0 - resolution.fraction])
    if resolution.outcome not in outcomes:
        return None
    return np.array([float(name == resolution.outcome) for name in outcomes])


def _scores(kind: str, p: Floats, happened: Floats) -> tuple[Floats, Floats, Floats]:
    """Brier, log score and share right, (N,) each; a number's are means over its grid.

    Source: Brier (1950); Epstein (1969), A scoring system for probability forecasts of ranked
    categories.
    """
    if kind == "numeric":
        held = np.clip(p, CLAMP, 1.0 - CLAMP)
        log_score = -(happened * np.log(held) + (1.0 - happened) * np.log1p(-held)).mean(axis=1)
        right = ((p > 0.5) == (happened > 0.5)).mean(axis=1)
        return ((p - happened) ** 2).mean(axis=1), log_score, right
    chosen = p >= p.max(axis=1, keepdims=True)
    return (
        0.5 * ((p - happened) ** 2).sum(axis=1),
        -(happened * np.log(np.clip(p, CLAMP, 1.0))).sum(axis=1),
        (chosen * happened).sum(axis=1) / chosen.sum(axis=1),
    )


def _rows(
    group: Sequence[Row], scores: tuple[Floats, Floats, Floats], judged: Mapping[str, InForce]
) -> Iterable[tuple[str, Row]]:
    columns = (column.tolist() for column in scores)
    for row, brier, log_score, right in zip(group, *columns, strict=True):
        yield row[0], (row[3], row[4], judged[row[0]].version, brier, log_score, right)


def _free_text(group: Sequence[Row], judged: Mapping[str, InForce]) -> Iterable[tuple[str, Row]]:
    """An answer in words is right if it is the outcome's, normalised; its confidence is its probability."""
    for row in group:
        known = judged[row[0]]
        if known.resolution.outcome is None:
            continue
        same = normalise(row[7], Normalization.LOWERCASE_TRIM) == normalise(
            known.resolution.outcome, Normalization.LOWERCASE_TRIM
        )
        said = 1.0 if row[6] is None else float(row[6])
        of_truth = min(max(said if same else 1.0 - said, CLAMP), 1.0)
        yield (
            row[0],
            (row[3], row[4], known.version, (1.0 - of_truth) ** 2, -float(np.log(of_truth)), float(same)),
        )
