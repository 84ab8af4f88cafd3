# SPDX-License-Identifier: Apache-2.0
"""What counts as the same question: pairs from real markets, and rewordings of them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine.caching.alike import alike, subject_of
from server.engine.caching.facts import facts
from server.forecasting.question import Question

SAME = [
    (
        "Will Elon Musk be the world's richest person on December 31, 2025?",
        "Will Elon Musk be the richest person in the world on December 31, 2025?",
    ),
    (
        "Will it rain in London on 2026-06-30?",
        "What is the probability that it rains in London on June 30, 2026?",
    ),
    ("Will Bitcoin dip below $100k before 2026?", "Would Bitcoin dip below $100,000 before 2026?"),
    (
        "By 30 September 2025, will the United States announce its intent to withdraw at least 4,500 troops "
        "from South Korea?",
        "Will the United States announce its intent to withdraw at least 4500 troops from South Korea by "
        "September 30, 2025?",
    ),
]
DIFFERENT = [
    (
        "Will WAB's market close price be higher on 2025-09-07?",
        "Will A's market close price be higher on 2025-09-07?",
    ),
    ("Will Bitcoin dip below $100k before 2026?", "Will Bitcoin dip below $90k before 2026?"),
    ("Will Bitcoin close above $100k on June 30?", "Will Bitcoin close below $100k on June 30?"),
    ("Will MAR beat SCO (2026-06-19)?", "Will SCO beat MAR (2026-06-19)?"),
    ("Will Putin be president on July 1?", "Will Putin not be president on July 1?"),
    ("Will Israel strike Iran by June 30?", "Will Israel strike Iran by July 30?"),
    ("Will Iran strike Israel by June 30?", "Will Israel strike Iran by June 30?"),
    (
        "Will the weekly dollar amount associated with Federal Reserve reverse repurchase agreements rise?",
        "Will the weekly dollar amount associated with Federal Reserve repurchase agreements rise?",
    ),
    ("Will more 'Riots' happen in Mexico?", "Will more 'Protests' happen in Mexico?"),
    (
        "Will the option-adjusted spread of the ICE BofA Corporate Index have increased by 2025-04-06?",
        "Will the effective yield of the ICE BofA Corporate Index have increased by 2025-04-06?",
    ),
    ("Will growth exceed -0.5% in 2026?", "Will growth exceed 0.5% in 2026?"),
    ("Will it be under \u22125 degrees in Oslo?", "Will it be under 5 degrees in Oslo?"),
    ("Will gold trade at $3,000?", "Will gold trade at €3,000?"),
    ("Will CPI be >3% in May 2026?", "Will CPI be <3% in May 2026?"),
    ("Will 100+ members resign?", "Will 100 members resign?"),
    ("Will the Fed cut-pause-cut in 2025", "Will the Fed cut-pause-pause in 2025?"),
]


def likeness(left: str, right: str) -> float:
    one, other = subject_of(Question("1", left)), subject_of(Question("2", right))
    assert one is not None
    assert other is not None
    return alike(one, other)


@pytest.mark.parametrize(("left", "right"), SAME)
def test_the_same_question(left: str, right: str) -> None:
    assert likeness(left, right) >= 0.9
    assert likeness(right, left) == likeness(left, right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_another_question(left: str, right: str) -> None:
    assert likeness(left, right) < 0.9


def test_criteria_are_guarded_like_the_text() -> None:
    one = subject_of(Question("1", "Will it rain?", resolution_criteria="Above 1 mm at Kew."))
    other = subject_of(Question("2", "Will it rain?", resolution_criteria="Above 2 mm at Kew."))
    assert one is not None
    assert other is not None
    assert alike(one, other) == 0.0


def test_other_news_make_another_question() -> None:
    said = "The minister has   resigned."
    one, same, other = (
        subject_of(Question(name, "Will it rain?", background=background))
        for name, background in (("1", said), ("2", "the minister has resigned."), ("3", ""))
    )
    assert one is not None
    assert same is not None
    assert other is not None
    assert alike(one, same) == 1.0
    assert alike(one, other) == 0.0


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("on 2025-06-30", ("2025-06-30",)),
        ("on June 30, 2025", ("2025-06-30",)),
        ("on the 30th of June 2025", ("2025-06-30",)),
        ("on Jun 30th", ("-06-30",)),
        ("in June 2025", ("2025-06",)),
        ("in May", ("-05",)),
        ("it may rain in 2026", ("2026",)),
        ("MAR and DEC", ()),
        ("$2,000 or 2025% or 2000.5", ()),
    ],
)
def test_dates(text: str, dates: tuple[str, ...]) -> None:
    found = facts(text)
    assert found is not None
    assert found.dates == dates


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("$100k", ("$100000",)),
        ("100k", ("100000",)),
        ("-€ 0.5 million", ("-€500000",)),
        ("3-5, 3 -5 and (\u22125)", ("3", "5", "3", "-5", "-5")),
        ("100,000", ("100000",)),
        ("1.5 million", ("1500000",)),
        ("5%", ("5%",)),
        ("5 per cent", ("5%",)),
        ("ten times", ("10",)),
        ("3 of 4", ("3", "4")),
    ],
)
def test_numbers(text: str, numbers: tuple[str, ...]) -> None:
    found = facts(text)
    assert found is not None
    assert found.numbers == numbers


def test_scripts_without_capitals_are_left_alone() -> None:
    assert subject_of(Question("1", "東京は雨ですか")) is None


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    subject = subject_of(Question("1", text))
    if subject is not None:
        assert alike(subject, subject) == pytest.approx(1.0)


def test_no_two_real_markets_are_confused() -> None:
    """All pairs of the whole catalogue: the one that is accepted is one market, listed twice."""
    folder = os.environ.get("CONSILIENCE_DATA")
    if not folder:
        pytest.skip("needs the forecast data; set CONSILIENCE_DATA")
    import polars as pl  # noqa: PLC0415

    questions = pl.read_parquet(Path(folder) / "forecasts" / "questions.parquet")
    texts = sorted(set(questions["question"].drop_nulls().to_list()))
    groups: dict[bytes, list[str]] = {}
    for text in texts:
        subject = subject_of(Question("", text))
        if subject is not None:
            groups.setdefault(subject.guard, []).append(text)
    accepted = [
        (left, right)
        for group in groups.values()
        for i, left in enumerate(group)
        for right in group[i + 1 :]
        if likeness(left, right) >= 0.9
    ]
    assert len(texts) > 2_000
    assert [pair for pair in accepted if "richest person" not in pair[0]] == []
