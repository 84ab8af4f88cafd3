# SPDX-License-Identifier: Apache-2.0
"""The same question gives the same numbers, to the last bit, whoever asks."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from benchmarks.serving import Served
from consilience import Client, Prediction, Question
from consilience.v1 import prediction_pb2

QUESTIONS = ("polymarket-4zgncn-20251026", "metaculus-35573-20251026")
#: What the answer is made of; ids, times and latencies differ from call to call.
Numbers = dict[str, Any]


def python(server: str, question_id: str) -> Numbers:
    with Client(server, deadline_s=10) as client:
        return numbers_of(client.predict(Question(id=question_id)))


def numbers_of(prediction: Prediction) -> Numbers:
    return {
        "outcomes": list(prediction.outcomes),
        "probabilities": list(prediction.probabilities),
        "confidence": prediction.confidence,
        "meta_confidence": prediction.meta_confidence,
        "vote_share": prediction.agreement.vote_share,
        "dispersion": prediction.agreement.dispersion,
        "interval": (prediction.interval.low, prediction.interval.high) if prediction.interval else None,
        "action": prediction.decision.action.value,
        "members": {
            part.member: (
                list(part.forecast.probabilities) if part.forecast else None,
                part.weight,
                part.contribution,
            )
            for part in prediction.members
        },
    }


def numbers_of_json(prediction: dict[str, Any]) -> Numbers:
    """From the contract's own JSON with the fields' own names; what is 0 is left out there."""
    agreement = prediction["agreement"]
    interval = prediction.get("interval")
    return {
        "outcomes": prediction["outcomes"],
        "probabilities": prediction["probabilities"],
        "confidence": prediction["confidence"],
        "meta_confidence": prediction.get("meta_confidence", 0.0),
        "vote_share": agreement.get("vote_share", 0.0),
        "dispersion": agreement.get("dispersion", 0.0),
        "interval": (interval.get("low", 0.0), interval.get("high", 0.0)) if interval else None,
        "action": prediction["decision"]["action"].removeprefix("DECISION_ACTION_").lower(),
        "members": {
            part["member"]: (
                part["forecast"]["probabilities"] if "forecast" in part else None,
                part.get("weight", 0.0),
                part.get("contribution", 0.0),
            )
            for part in prediction["members"]
        },
    }


def output(*command: str | Path) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout)


@pytest.mark.parametrize("question_id", QUESTIONS)
def test_go_gives_the_same_numbers(served: Served, go_predict: Path, question_id: str) -> None:
    asked = ("-server", served.address, "-deadline", "10s", "-question", question_id, "-json")
    assert numbers_of_json(output(go_predict, *asked)) == python(served.address, question_id)


@pytest.mark.parametrize("question_id", QUESTIONS)
def test_grpcurl_gives_the_same_numbers(served: Served, grpcurl: str, question_id: str) -> None:
    request = json.dumps({"question": {"id": question_id}})
    method = "consilience.v1.PredictService/Predict"
    # grpcurl names fields in camel case; the contract's descriptor turns them back.
    answer = output(grpcurl, "-plaintext", "-d", request, served.address, method)
    assert numbers_of_json(_own_names(answer["prediction"])) == python(served.address, question_id)


def _own_names(prediction: dict[str, Any]) -> dict[str, Any]:
    message = ParseDict(prediction, prediction_pb2.Prediction())
    return MessageToDict(message, preserving_proto_field_name=True)


def test_a_stream_gives_the_same_numbers(served: Served) -> None:
    question = Question(id=QUESTIONS[0])
    with Client(served.address, deadline_s=10) as client, client.stream(question) as events:
        *_, last = events
    assert isinstance(last, Prediction)
    assert numbers_of(last) == python(served.address, QUESTIONS[0])


def test_a_batch_gives_the_same_numbers(served: Served) -> None:
    with Client(served.address, deadline_s=10) as client:
        answers = client.batch_predict([Question(id=each) for each in QUESTIONS])
    for question_id, answer in zip(QUESTIONS, answers, strict=True):
        assert isinstance(answer, Prediction)
        assert numbers_of(answer) == python(served.address, question_id)


def test_aggregate_of_the_members_gives_the_same_numbers(served: Served) -> None:
    with Client(served.address, deadline_s=10) as client:
        prediction = client.predict(Question(id=QUESTIONS[0]))
        pool = client.aggregate(
            [part.forecast.probabilities if part.forecast else None for part in prediction.members],
            weights=[1.0] * len(prediction.members),
            pooling=prediction.method.pooling,
        )
    assert pool.probabilities == prediction.probabilities
    assert pool.contributions == tuple(part.contribution for part in prediction.members)
    assert (pool.interval, pool.decision) == (prediction.interval, prediction.decision)


def test_the_record_gives_the_same_numbers(served: Served) -> None:
    with Client(served.address, deadline_s=10) as client:
        prediction = client.predict(Question(id=QUESTIONS[0]))
        stored = client.get_prediction(prediction.id)
    assert stored.prediction is not None
    assert numbers_of(stored.prediction) == numbers_of(prediction)
    assert stored.question.id == QUESTIONS[0]


def test_a_request_id_gives_the_same_answer(served: Served) -> None:
    with Client(served.address, deadline_s=10) as client:
        first, again = (client.predict(Question(id=QUESTIONS[0]), request_id="conformance") for _ in range(2))
    assert first.id == again.id
    assert numbers_of(first) == numbers_of(again)
