# SPDX-License-Identifier: Apache-2.0
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from server.research.errors import ResearchError
from server.research.grid.cell import Cell
from server.research.grid.declared import Declared
from server.research.grid.drive import World, drive
from server.research.grid.free_text import read_answers_data, read_matches_data
from server.research.grid.profile import best_value, frontier, price, profile
from server.research.grid.recorded_data import read_panels_data
from server.research.grid.score import CellScores
from server.research.grid.summary import Figures
from tests.research.grid.samples import write_folder
from tests.research.samples import rows

SAMPLES = Path(__file__).parents[3] / "samples"
ZEROS = dict.fromkeys(Figures.__dataclass_fields__, 0.0)
ROW = Figures(**{**ZEROS, "cost_usd": None, "latency_p95_s": None, "ece": None, "consensus": None})  # type: ignore[arg-type]


@given(st.floats(0.01, 0.99), st.floats(0.1, 50.0), st.floats(1.0, 20.0))
def test_latency_is_log_normal_with_the_declared_median_and_tail(quantile, median, ratio):
    law = Declared(latency_median_s=median, latency_p99_s=median * ratio)
    spread = math.log(ratio) / stats.norm.ppf(0.99)
    assert law.latency_s(quantile) == pytest.approx(
        median * math.exp(spread * stats.norm.ppf(quantile)), rel=1e-6
    )


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_frontier_is_what_nobody_beats(points):
    made = [replace(ROW, cell=str(i), calls=float(c), brier=b / 10) for i, (c, b) in enumerate(points)]
    edge = frontier(made)
    for row in made:
        beaten = any(
            (o.calls <= row.calls and o.brier < row.brier) or (o.calls < row.calls and o.brier <= row.brier)
            for o in made
        )
        assert not (beaten and row in edge)
        if not beaten:
            assert any(e.calls == row.calls and e.brier == row.brier for e in edge)
    assert best_value(made) in edge


def test_the_profile_names_one_cell_for_each_wish():
    made = [
        replace(ROW, cell="good", calls=9.0, brier=0.1, reliability=0.98, latency_p95_s=8.0, cost_usd=0.09),
        replace(ROW, cell="cheap", calls=1.0, brier=0.2, reliability=0.9, latency_p95_s=3.0, cost_usd=0.01),
        replace(
            ROW, cell="middle", calls=3.0, brier=0.11, reliability=0.97, latency_p95_s=6.0, cost_usd=0.03
        ),
        replace(ROW, cell="safe", calls=9.0, brier=0.3, reliability=1.0, latency_p95_s=4.0, cost_usd=0.09),
    ]
    found = {wish: it["cell"] for wish, it in profile(made).items()}
    assert found == {
        "fastest": "cheap",
        "cheapest": "cheap",
        "most_reliable": "safe",
        "most_accurate": "good",
        "best_value": "middle",
    }
    assert price(made[0]) == 0.09


def test_groups_of_yes_no_questions_become_free_text(tmp_path):
    data = read_matches_data(write_folder(tmp_path / "data"))
    table = rows().filter(pl.col("collection") == "two")
    assert {case.question.id for case in data.cases} == set(
        table["question_id"].str.extract(r"^(m\d+)").to_list()
    )
    answers = drive(World(data), Cell("majority"))
    scores = CellScores.of(answers)
    for answer, right in zip(answers, scores.right, strict=True):
        own = table.filter(pl.col("question_id").str.starts_with(answer.case.question.id + ":"))
        votes = [
            max(part.iter_rows(named=True), key=lambda row: row["prob"])["question_id"].rpartition(":")[2]
            for _, part in own.sort("question_id").group_by("model")
        ]
        counts = {vote: votes.count(vote) for vote in votes}
        happened = own.filter(pl.col("outcome") == 1)["question_id"][0].rpartition(":")[2]
        if max(counts.values()) >= 2:
            assert right == float(max(counts, key=lambda vote: counts[vote]) == happened)
    assert 0.0 < scores.right.mean() <= 1.0


QUESTIONS = """question_id,question,answer,normalization,asked_date,known_date
a,How many?,1200,numeric,2025-01-01,2025-01-02
b,Which one?,The Second,lowercase_trim,2025-01-01,2025-02-02
"""
ANSWERS = """question_id,member,text,confidence
a,one,"1,200 units",0.9
a,two,1.2k,
a,three,900,0.6
b,one,the second,0.7
b,two,  THE  second.,0.8
"""


def write_answers(folder, questions=QUESTIONS, answers=ANSWERS):
    (folder / "text_questions.csv").write_text(questions)
    (folder / "text_answers.csv").write_text(answers)
    return folder


def test_answers_of_ones_own_are_normalised_and_scored(tmp_path):
    data = read_answers_data(write_answers(tmp_path))
    answers = drive(World(data), Cell("majority"))
    assert [a.prediction.outcome for a in answers] == ["1200", "the second"]
    assert CellScores.of(answers).right.tolist() == [1.0, 1.0]


def test_an_answer_that_nobody_gave_is_wrong_and_scored(tmp_path):
    data = read_answers_data(write_answers(tmp_path, QUESTIONS.replace("1200", "7")))
    scores = CellScores.of(drive(World(data), Cell("linear")))
    assert scores.right.tolist() == [0.0, 1.0]
    assert np.isfinite(scores.log_score).all()
    assert scores.brier[0] > scores.brier[1]


@pytest.mark.parametrize(
    ("questions", "answers", "named"),
    [
        (QUESTIONS.replace("numeric", "roman"), ANSWERS, "normalization"),
        (QUESTIONS.replace("2025-01-02", "2024-01-02"), ANSWERS, "known_date"),
        (QUESTIONS.replace("2025-01-02", "soon"), ANSWERS, "YYYY-MM-DD"),
        (QUESTIONS.replace("answer", "reply"), ANSWERS, "'?answer'?"),
        (QUESTIONS, ANSWERS.replace("0.9", "9"), "confidence"),
        (QUESTIONS, ANSWERS.replace("member", "who"), "member"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, questions, answers, named):
    with pytest.raises(ResearchError, match=named):
        read_answers_data(write_answers(tmp_path, questions, answers))


def test_the_shipped_text_sample_can_be_asked():
    data = read_answers_data(SAMPLES / "free_text")
    scores = CellScores.of(drive(World(data), Cell("majority")))
    assert len(scores.right) == 75
    assert {case.outcome for case in data.cases} == {"true", "false"}
    assert scores.right.mean() > 0.85


def test_the_shipped_forecasts_have_panels():
    data = read_panels_data(SAMPLES / "forecasts", ["markets"])
    assert len(data.cases) == 75
    assert set(data.panels) == {"markets"}


def test_scores_survive_their_file(tmp_path):
    scores = CellScores.of(drive(World(read_answers_data(write_answers(tmp_path))), Cell("majority")))
    again = CellScores.from_json(scores.as_json())
    assert again.as_json() == scores.as_json()
