# SPDX-License-Identifier: Apache-2.0
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings

from server.forecasting.errors import RecordError
from server.forecasting.prediction import PredictionRecord
from server.forecasting.question import Binary, Exclusive, FreeText, Numeric
from server.storage.documents import KIND_NAMES, SCHEMA_VERSION, decode, encode
from server.storage.errors import StorageError
from tests.storage.samples import record, with_prediction
from tests.storage.strategies import bits, records


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(records)
def test_a_record_comes_back_bit_for_bit(stored: PredictionRecord) -> None:
    assert bits(decode(encode(stored).decode())) == bits(stored)


def test_the_ordinary_record_comes_back() -> None:
    stored = record()
    assert decode(encode(stored).decode()) == stored


@pytest.mark.parametrize(
    "value", [0.1 + 0.2, 5e-324, -0.0, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
)
def test_floats_at_the_edges_keep_their_bits(value: float) -> None:
    stored = with_prediction(record(), probabilities=(value,))
    assert bits(decode(encode(stored).decode())) == bits(stored)


def test_every_kind_of_question_has_a_name() -> None:
    assert set(KIND_NAMES) == {Binary, Exclusive, Numeric, FreeText}


def test_the_document_is_json_that_states_its_version() -> None:
    document = json.loads(encode(record()))
    assert document["schema_version"] == SCHEMA_VERSION
    assert document["record"]["prediction"]["members"][0]["answer"]["model"] == "model-x"


def test_text_that_is_no_text_is_refused_by_name() -> None:
    with pytest.raises(RecordError, match=r"'broken'.*surrogate"):
        encode(with_prediction(record("broken"), explanation="\ud800"))


def test_a_later_version_is_refused() -> None:
    text = encode(record()).decode().replace('"schema_version":1', '"schema_version":2', 1)
    with pytest.raises(StorageError, match=r"version 2; this server reads 1"):
        decode(text)


def test_a_damaged_document_is_named_without_its_content() -> None:
    text = encode(record()).decode().replace('"confidence":0.7', '"confidence":"secret"', 1)
    with pytest.raises(StorageError, match=r"record\.prediction\.confidence") as caught:
        decode(text)
    assert "secret" not in str(caught.value)
