# SPDX-License-Identifier: Apache-2.0
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.recordings.unit_ids import unit_id
from tests.recordings.recorded_data import sample_library

UNIT: dict[str, Any] = {
    "source": "metaculus",
    "question_id": "metaculus:39420",
    "question_type": "market",
    "forecast_day": "2025-10-26",
    "horizon_days": 9,
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "metaculus-39420-20251026"),
        (
            {"source": "yfinance", "question_id": "yfinance:AAPL", "question_type": "dataset"},
            "yfinance-aapl-20251026-9d",
        ),
        ({"source": "yfinance", "question_id": "yfinance:BRK-B"}, "yfinance-brk-b-20251026"),
        ({"source": "fifa", "question_id": "wc:10:away"}, "fifa-wc-10-away-20251026"),
        ({"source": "My Feed", "question_id": "a"}, "my-feed-a-20251026"),
    ],
)
def test_a_readable_key_is_kept(changes: dict[str, Any], expected: str) -> None:
    assert unit_id(**{**UNIT, **changes}) == expected


@pytest.mark.parametrize(
    "key", ["0x0ac91dc0674ea0b91e6eb9cc4a20968976d30fbc", "AZNPqIQuA0", "^GSPC", "a b", "ä"]
)
def test_any_other_key_becomes_six_letters(key: str) -> None:
    assert re.fullmatch(r"metaculus-[a-z2-7]{6}-20251026", unit_id(**{**UNIT, "question_id": key}))


def test_a_known_id_stays_what_it_is() -> None:
    key = "polymarket:0xa76a7ecac374e7e37f9dd7eacda947793f23d2886ffe0dc28fcc081a7f61423c"
    assert unit_id(**{**UNIT, "source": "polymarket", "question_id": key}) == "polymarket-4zgncn-20251026"


def test_the_date_of_resolution_is_told_for_series_only() -> None:
    assert unit_id(**UNIT) == unit_id(**{**UNIT, "horizon_days": 66})
    series = {**UNIT, "question_type": "dataset"}
    assert unit_id(**series) != unit_id(**{**series, "horizon_days": 66})


@given(source=st.text(max_size=300), key=st.text(max_size=300), horizon=st.integers(0, 36_500))
def test_short_and_of_plain_characters_whatever_goes_in(source: str, key: str, horizon: int) -> None:
    changes = {"source": source, "question_id": key, "horizon_days": horizon, "question_type": "dataset"}
    made = unit_id(**{**UNIT, **changes})
    assert len(made) <= 64
    assert re.fullmatch(r"[a-z0-9-]+", made)


def test_the_ids_of_the_sample_are_different_and_short() -> None:
    library = sample_library()
    ids = [question.id for question in library.catalogue.list()]
    assert len(set(ids)) == len(ids) == 16_232
    assert max(map(len, ids)) <= 40
