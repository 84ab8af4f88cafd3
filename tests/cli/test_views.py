# SPDX-License-Identifier: Apache-2.0
import io
import json
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sklearn.metrics import brier_score_loss

from consilience import (
    Cost,
    CostSource,
    MemberArrived,
    Prediction,
    PredictionStarted,
    Question,
    Resolution,
    RunningConsensus,
    Spend,
    SpendReport,
    Tensor,
)
from consilience.v1 import prediction_pb2
from server.cli import looks
from server.cli.plain import plain
from server.cli.prediction_view import show_prediction
from server.cli.scores import brier_score, truth_of
from server.cli.spend_view import show_spend
from server.cli.stream_view import Table
from tests.sdk.answering import early, late, prediction

shares = st.floats(0, 1)


@given(shares, st.floats(-5, 5))
def test_a_bar_always_has_its_width(share: float, beyond: float) -> None:
    assert len(looks.bar(share, 12)) == 12
    assert len(looks.bar(beyond, 12)) == 12
    assert looks.bar(1.0, 3) == "███"
    assert looks.bar(0.0, 3) == "   "


@given(st.lists(shares, max_size=20))
def test_a_spark_has_one_character_for_each(history: list[float]) -> None:
    assert len(looks.spark(history)) == len(history)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "n/a"), (2.5e-5, "25 µs"), (0.0125, "12.5 ms"), (1.5, "1.50 s")]
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert looks.duration(seconds) == shown


def test_money_says_where_it_comes_from() -> None:
    assert looks.money(None) == "n/a"
    assert looks.money(Cost(1_250_000, CostSource.PROVIDER)) == "$0.00125"
    assert looks.money(Cost(0, CostSource.PROVIDER)) == "$0"
    assert looks.money(Cost(1_500, CostSource.PROVIDER)) == "$0.0000015"
    assert looks.money(Cost(12_345_678_901, CostSource.PROVIDER)) == "$12.3457"
    assert looks.money(Cost(10_000_000, CostSource.SIMULATED)) == "$0.01 sim."


@given(st.lists(shares, min_size=1, max_size=9), st.data())
def test_brier_is_sklearns(probabilities: list[float], data: st.DataObject) -> None:
    truth = data.draw(st.lists(st.booleans(), min_size=len(probabilities), max_size=len(probabilities)))
    ours = [brier_score((p, 1 - p), (float(y), 1.0 - y)) for p, y in zip(probabilities, truth, strict=True)]
    assert np.mean(ours) == pytest.approx(brier_score_loss(truth, probabilities, pos_label=True))


@pytest.mark.parametrize(
    ("result", "truth"),
    [
        ({"outcome": "NO"}, (0.0, 1.0)),
        ({"fraction": 0.25}, (0.25, 0.75)),
        ({"annulled": True}, None),
        ({"retracted": True}, None),
        ({"outcome": "MAYBE"}, None),
        ({"value": 3.0}, None),
    ],
)
def test_what_came_true(result: dict[str, Any], truth: tuple[float, ...] | None) -> None:
    question = Question(id="q1", resolution=Resolution("q1", **result))
    assert truth_of(question, ("YES", "NO")) == truth
    assert truth_of(None, ("YES", "NO")) is None


def _shown(message: prediction_pb2.Prediction, question: Question | None, width: int = 140) -> str:
    out = io.StringIO()
    show_prediction(Console(file=out, width=width), Prediction.from_message(message), question, True)
    return out.getvalue()


def test_the_absent_are_named_with_their_reason() -> None:
    shown = _shown(prediction(Question("Will it?").to_message(), ""), None)
    assert "deadline_exceeded: too late" in shown
    assert "late is missing" in shown
    assert "Brier" not in shown


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_figure_is_cut(width: int) -> None:
    message = prediction(Question("Will it?").to_message(), "")
    message.members[0].member = "a-member-with-quite-a-long-name"
    known = Question("Will it?", resolution=Resolution("q1", outcome="YES"))
    table = _shown(message, known, width).partition("Answer ")[0]
    for figure in ("P(YES)", "70.0%", "100.0%", "+20.0 pp", "0.090", "250.0 ms", "$0.0000015", "71.4%"):
        assert figure in table, (figure, table)


def test_a_choice_of_three() -> None:
    message = prediction(Question("Who?").to_message(), "")
    del message.outcomes[:], message.probabilities[:]
    message.outcomes.extend(["Ann", "Bob", "Cid"])
    message.probabilities.extend([0.1, 0.7, 0.2])
    message.outcome, message.confidence = "Bob", 0.7
    del message.members[0].forecast.probabilities[:]
    message.members[0].forecast.probabilities.extend([0.2, 0.5, 0.3])
    known = Question("Who?", resolution=Resolution("q1", outcome="Cid"))
    shown = _shown(message, known)
    assert "P(Bob)" in shown
    assert "50.0%" in shown
    assert "Cid" in shown
    assert f"{(0.1**2 + 0.7**2 + 0.8**2) / 2:.3f}" in shown


def test_a_number() -> None:
    message = prediction(Question("How many?").to_message(), "")
    del message.outcomes[:], message.probabilities[:]
    message.outcome = ""
    message.numeric.grid.extend([1, 2, 3])
    message.numeric.cumulative.extend([0.2, 0.6, 0.9])
    message.numeric.median, message.numeric.unit = 1.75, "USD"
    del message.members[0].forecast.probabilities[:]
    message.members[0].forecast.probabilities.extend([0.2, 0.6, 0.9])
    shown = _shown(message, Question("How many?", resolution=Resolution("q1", value=2.5)))
    assert "median 1.75 USD" in shown
    assert "≤ 2 USD" in shown
    assert "2.5" in shown


def test_a_word() -> None:
    message = prediction(Question("What?").to_message(), "")
    message.members[0].forecast.text = "forty-two"
    assert "forty-two" in _shown(message, None)


def test_an_empty_prediction_can_be_shown() -> None:
    assert "Answer" in _shown(prediction_pb2.Prediction(), None, width=60)


def test_a_terminal_sees_one_table_that_changes() -> None:
    out = io.StringIO()
    terminal = Console(file=out, width=100, force_terminal=True)
    message = prediction(Question("Will it?").to_message(), "")
    whole = Prediction.from_message(message)
    part, absent = (Prediction.from_message(message).member(name) for name in ("early", "late"))
    assert (early().member, late().member) == (part.member, absent.member)
    with Table(terminal) as table:
        table.show(PredictionStarted("p1", ("early", "late"), ("YES", "NO")))
        consensus = RunningConsensus((0.7, 0.3), whole.agreement, "YES", True)
        table.show(MemberArrived(part, consensus))
        table.show(MemberArrived(absent, None))
        table.show(whole)
    shown = out.getvalue()
    for word in ("early", "70.0%", "deadline_exceeded", "P(YES) 70.0%", "settled"):
        assert word in shown


def test_spend_says_which_calls_have_no_known_cost() -> None:
    def shown(*spends: Spend) -> str:
        console = Console(width=100, file=(into := io.StringIO()))
        show_spend(console, SpendReport(spends, ()), "member")
        return into.getvalue()

    priced, unpriced = Spend("gpt", 5_000_000, 0, 0, 3, 0), Spend("new", 0, 0, 0, 2, 2)
    assert "not known" not in shown(priced)
    text = shown(priced, unpriced)
    assert "Cost not known" in text
    (row,) = (line for line in text.splitlines() if "new" in line)
    assert row.split()[1:4] == ["2", "2", "calls"]


def test_lines_in_a_pipe_end_where_their_words_do(capsys: pytest.CaptureFixture[str]) -> None:
    show_spend(looks.console(), SpendReport((Spend("gpt", 0, 0, 0, 0, 0),), ()), "member")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3
    assert [line for line in lines if line != line.rstrip()] == []


def test_plain_json() -> None:
    value = plain(
        {
            "question": Question("Will it?", as_of_time=datetime(2026, 1, 1, tzinfo=UTC)),
            "nan": math.nan,
            "prediction": Prediction.from_message(prediction(Question("Will it?").to_message(), "")),
        }
    )
    json.dumps(value, allow_nan=False)
    tensor = Tensor("<f4", (2, 2), np.array([[1, 2], [3, np.nan]], "<f4").tobytes())
    assert plain(tensor) == {"shape": [2, 2], "values": [1.0, 2.0, 3.0, None]}
    assert value["question"]["kind"] == {"type": "binary"}
    assert value["question"]["as_of_time"] == "2026-01-01T00:00:00+00:00"
    assert value["nan"] is None
    assert value["prediction"]["members"][1]["absent"]["reason"] == "deadline_exceeded"
    assert "message" not in value["prediction"]


def test_brackets_and_colons_of_others_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    looks.console().print("a [/b] c :smile:")
    assert capsys.readouterr().out == "a [/b] c :smile:\n"


def test_a_member_moves_the_outcome_that_the_table_shows() -> None:
    message = prediction(Question("Will it?").to_message(), "")
    del message.probabilities[:]
    message.probabilities.extend([0.3, 0.7])
    message.outcome, message.members[0].contribution = "NO", 0.2
    assert "-20.0 pp" in _shown(message, None).partition("Answer ")[0]
