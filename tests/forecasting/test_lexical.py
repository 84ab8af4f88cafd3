# SPDX-License-Identifier: Apache-2.0
import pytest

from server.forecasting.lexical import MIN_SIMILARITY, cosine, differ_in_numbers, letters


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the european central bank", "European Central Bank"),
        ("São Paulo", "sao paulo"),
        ("president emmanuel macron", "Emmanuel Macron"),
        ("it will be postponed", "postponed"),
    ],
)
def test_the_same_in_other_words(first: str, second: str) -> None:
    assert cosine(letters(first), letters(second)) >= MIN_SIMILARITY


@pytest.mark.parametrize(
    ("first", "second"), [("yes", "no"), ("paris", "rome"), ("north korea", "south africa")]
)
def test_different_answers(first: str, second: str) -> None:
    assert cosine(letters(first), letters(second)) < MIN_SIMILARITY


def test_nothing_is_like_nothing() -> None:
    assert cosine(letters(""), letters("")) == 0.0


def test_numbers() -> None:
    assert differ_in_numbers("12 million", "13 million")
    assert not differ_in_numbers("in 2026: 12", "12 in 2026")
