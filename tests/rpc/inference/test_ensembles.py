# SPDX-License-Identifier: Apache-2.0
"""Ensembles as models of the protocol."""

import grpc
import numpy as np
import pytest

from tests.rpc.inference.client import refused, request
from tests.rpc.inference.test_infer import WINDOW, outputs_of
from tests.rpc.inference.test_stream import FINAL


def texts(name, *values, wide=None):
    return (name, "BYTES", (len(values), 1) if wide is None else wide, {"bytes_contents": list(values)})


def question(*values):
    return request("quick", texts("question", *(values or (b"Will it rain?",))))


async def test_a_question(client):
    found = outputs_of(await client("ModelInfer", question()))
    assert found["probabilities"].shape == (1, 2)
    assert found["probabilities"].sum() == pytest.approx(1.0)
    assert found["outcomes"].tolist() == [[b"YES", b"NO"]]
    assert found["outcome"].tolist() == [[b"YES"]]
    assert found["confidence"][0, 0] == found["probabilities"][0, 0]
    assert (found["answered"][0, 0], found["asked"][0, 0]) == (3, 3)
    assert found["decision"].tolist() == [[b"proceed"]]
    assert len(found["prediction_id"][0, 0]) == 28


async def test_many_questions_one_of_the_catalogue(client):
    found = outputs_of(await client("ModelInfer", question(b"One?", b"Two?")))
    assert found["probabilities"].shape == (2, 2)
    assert found["prediction_id"][0, 0] != found["prediction_id"][1, 0]
    known = request("quick", texts("question_id", b"known-1"))
    assert outputs_of(await client("ModelInfer", known))["probabilities"].shape == (1, 2)
    code, text = await refused(client("ModelInfer", request("quick", texts("question_id", b"lost"))))
    assert (code, "lost" in text) == (grpc.StatusCode.NOT_FOUND, True)


async def test_wishes(client):
    asked = question()
    asked.parameters["pooling"].string_param = "linear"
    asked.parameters["min_agreement"].double_param = 0.7
    asked.parameters["deadline_ms"].int64_param = 1500
    asked.parameters["request_id"].string_param = "mine"
    found = outputs_of(await client("ModelInfer", asked))
    assert found["probabilities"][0, 0] == pytest.approx((0.9 + 0.7 + 0.6) / 3)
    again = outputs_of(await client("ModelInfer", asked))
    assert again["prediction_id"][0, 0] == found["prediction_id"][0, 0]


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("pooling", "int64_param", 1),
        ("pooling", "string_param", "none of ours"),
        ("min_agreement", "string_param", "x"),
        ("min_agreement", "double_param", 2.0),
        ("min_responses", "double_param", 2.0),
        ("min_responses", "int64_param", 2**40),
        ("min_responses", "int64_param", -1),
        ("deadline_ms", "bool_param", True),
        ("deadline_ms", "double_param", float("nan")),
        ("deadline_ms", "double_param", float("inf")),
        ("deadline_ms", "double_param", -1.0),
        ("unheard_of", "int64_param", 1),
    ],
)
async def test_wishes_that_are_wrong(client, name, field, value):
    asked = question()
    setattr(asked.parameters[name], field, value)
    code, text = await refused(client("ModelInfer", asked))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert name.partition("_")[0] in text


async def test_questions_that_are_wrong(client):
    for asked, text in (
        (request("quick", texts("category", b"x")), "give the input 'question'"),
        (question(b"\xff"), "input 'question' holds bytes that are not UTF-8"),
        (question(b"x" * 9000), "item 0.text"),
        (question(*[b"x"] * 65), "inference request batch-size must be >= 1 and <= 64"),
    ):
        code, told = await refused(client("ModelInfer", asked))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert told.startswith(text)


async def test_a_market(serving, client):
    asked = request("market", ("book_window", "FP32", (2, 100, 20, 4)), raw=[WINDOW.tobytes()])
    found = outputs_of(await client("ModelInfer", asked))
    logits, _, expected = await serving.networks.repository.get("small").infer((WINDOW.copy(),))
    powers = np.exp(logits[:, 0].astype(float))
    np.testing.assert_allclose(found["probabilities"], powers / powers.sum(1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(found["expected_return_bps"][:, 0], expected[:, 0], atol=1e-6)
    assert set(found["outcome"].ravel()) <= {b"DOWN", b"NEUTRAL", b"UP"}
    asked.parameters["horizon_updates"].int64_param = 50
    other = outputs_of(await client("ModelInfer", asked))
    assert not np.array_equal(other["probabilities"], found["probabilities"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("double_param", float("nan")), ("double_param", 10.5), ("int64_param", -1), ("int64_param", 2**62)],
)
async def test_a_horizon_is_a_whole_number(client, field, value):
    asked = request("market", ("book_window", "FP32", (1, 100, 20, 4)), raw=[WINDOW[:1].tobytes()])
    setattr(asked.parameters["horizon_updates"], field, value)
    code, text = await refused(client("ModelInfer", asked))
    assert (code, "'horizon_updates'" in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)


async def test_the_likeliest_direction_with_its_name(client):
    asked = request("market", ("book_window", "FP32", (1, 100, 20, 4)), raw=[WINDOW[:1].tobytes()])
    asked.outputs.add(name="probabilities").parameters["classification"].int64_param = 1
    asked.outputs.add(name="outcome")
    found = outputs_of(await client("ModelInfer", asked))
    assert found["probabilities"][0, 0].endswith(b":" + found["outcome"][0, 0])


async def test_a_market_without_what_its_members_need(client):
    rows = ("feature_rows", "FP32", (1, 60, 112))
    code, text = await refused(client("ModelInfer", request("market", rows, raw=[bytes(60 * 112 * 4)])))
    assert (code, "not_applicable" in text) == (grpc.StatusCode.UNAVAILABLE, True)
    code, text = await refused(client("ModelInfer", request("market")))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "'book_window'" in text


async def test_the_consensus_as_it_runs(client):
    asked = question()
    asked.model_name = "quick.running"
    answers = [answer.infer_response async for answer in client.stream(iter([asked]))]
    steps = [outputs_of(answer) for answer in answers]
    assert [step["answered"][0, 0] for step in steps] == [1, 2, 3, 3]
    assert [answer.parameters[FINAL].bool_param for answer in answers] == [False, False, False, True]
    assert {step["member"][0, 0] for step in steps[:3]} == {b"a", b"b", b"c"}
    final = outputs_of(await client("ModelInfer", question()))
    np.testing.assert_allclose(steps[-1]["probabilities"], final["probabilities"])
    assert steps[-1]["decision"].tolist() == [[b"proceed"]]


async def test_statistics_of_each_response(client):
    asked = question()
    asked.model_name = "quick.running"
    assert len([answer async for answer in client.stream(iter([asked, asked]))]) == 8
    (found,) = (await client("ModelStatistics", name="quick.running")).model_stats
    assert sorted(found.response_stats) == ["0", "1", "2", "3"]
    for each in found.response_stats.values():
        assert (each.success.count, each.fail.count, each.cancel.count) == (2, 0, 0)
        assert each.success.ns == each.compute_infer.ns + each.compute_output.ns
    lost = request("quick.running", texts("question_id", b"lost", wide=(1, 1)))
    (answer,) = [answer async for answer in client.stream(iter([lost]))]
    assert "lost" in answer.error_message
