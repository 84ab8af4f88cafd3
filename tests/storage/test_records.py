# SPDX-License-Identifier: Apache-2.0
import json
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from server.forecasting.errors import RecordError
from server.forecasting.forecast import Cost, CostSource
from server.forecasting.prediction import PredictionRecord
from server.forecasting.question import Numeric
from server.storage.records import EPOCH, MemberRow, microseconds, packed, rows_of
from tests.storage.samples import record, with_prediction
from tests.storage.strategies import records


def test_a_prediction_row_repeats_what_is_searched() -> None:
    row = rows_of(record("p-1", request_id="r-1")).prediction
    assert row[:9] == (
        "p-1",
        1_795_176_000_123_456,
        "question-1",
        "quickstart",
        "alice",
        "r-1",
        "markets",
        "binary",
        1_795_435_200_123_456,
    )
    assert json.loads(row.outcomes) == ["YES", "NO"]
    assert np.frombuffer(row.probabilities, "<f8").tolist() == [0.1 + 0.2, 0.7]
    assert (row.cost_nano_usd, row.cost_source, row.elapsed_us) == (1_234_567, "price_table", 812_346)


def test_a_member_row_has_what_scoring_needs() -> None:
    row = rows_of(record("p-1")).members[3]
    assert row.probabilities == np.array([4 / 13, 1 - 4 / 13]).tobytes()
    assert row._replace(probabilities=None) == MemberRow(
        prediction_id="p-1",
        position=3,
        late=False,
        member="member-3",
        model="model-x",
        prompt_hash="",
        probabilities=None,
        self_confidence=0.5,
        text="",
        absent_reason=None,
        raw_weight=1.0,
        cost_nano_usd=123_456,
        cost_source="provider",
        latency_us=280_000,
        cached=False,
        is_price=False,
    )


def test_an_absence_says_why() -> None:
    row = rows_of(record()).members[11]
    assert (row.absent_reason, row.probabilities, row.cost_nano_usd) == ("provider_timeout", None, None)


def test_late_answers_follow_the_members() -> None:
    base = record()
    rows = rows_of(replace(base, late=base.prediction.members[:2])).members
    assert [(row.position, row.late) for row in rows[11:]] == [(11, False), (12, True), (13, True)]


def test_a_number_is_stored_with_its_grid() -> None:
    base = record()
    numeric = replace(base, question=replace(base.question, kind=Numeric((1.0, 2.5, 4.0))))
    row = rows_of(numeric).prediction
    assert (row.kind, json.loads(row.outcomes)) == ("numeric", [1.0, 2.5, 4.0])


def test_what_no_column_can_hold_is_null_there() -> None:
    base = record()
    odd = replace(base.prediction.members[0], raw_weight=math.nan, latency_s=math.inf)
    row = rows_of(with_prediction(base, members=(odd,))).members[0]
    assert (row.raw_weight, row.latency_us) == (None, None)


def test_a_cost_beyond_64_bits_is_refused() -> None:
    with pytest.raises(RecordError, match="64 bits"):
        rows_of(with_prediction(record(), cost=Cost(2**63, CostSource.ESTIMATE)))


def test_instants_are_exact_to_the_microsecond() -> None:
    assert microseconds(EPOCH - timedelta(microseconds=1)) == -1
    assert microseconds(record().prediction.create_time) % 1_000_000 == 123_456


def test_packed_is_little_endian_float64() -> None:
    assert packed((1.5, math.nan)) == np.array([1.5, math.nan], "<f8").tobytes()


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(records)
def test_every_record_has_rows(stored: PredictionRecord) -> None:
    rows = rows_of(stored)
    spoken = len(stored.prediction.members) + len(stored.late)
    assert len(rows.members) == (0 if stored.prediction.cached else spoken)
    assert rows.size > len(rows.prediction.document)
