# SPDX-License-Identifier: Apache-2.0
"""From a model's text to a forecast: strict, lenient, partial, and the checks that no schema does."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.forecasting.question import Binary, Exclusive, FreeText, Numeric, NumericScale, QuestionKind
from server.llm.answers import UnreadableError, read
from server.llm.leniency import LONGEST, lenient_object, partial_object, strict_object
from server.llm.quantiles import cumulative
from server.llm.schemas import QUANTILE_FIELDS, answer_schema, letter

ONE = ("probability",)
GOOD = '{"rationale": "a, {b}", "probability": 0.73, "confidence": 0.6}'


class TestLeniency:
    @pytest.mark.parametrize(
        "text",
        [
            GOOD,
            f"```json\n{GOOD}\n```",
            f"```\n{GOOD}\n```",
            f"Sure! Here it is: {GOOD} Hope this helps {{:",
            f'{{"note": "not this"}} {GOOD}',
            '{"rationale": "quote \\" brace }", "probability": 0.73}',
            '{"probability": 0.73, "rationale": "cut off in the mid',
            '{"rationale": "x", "probability": 0.73, "confidence": 0.6, oops}',
            "Probability: 73%",
            "The probability is 73 percent.",
            "**Probability of YES:** 73%",
            "probability = 0.73",
        ],
    )
    def test_found(self, text: str) -> None:
        found = lenient_object(text, ONE)
        assert found is not None
        assert found["probability"] == pytest.approx(0.73)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "null",
            "[0.73]",
            '{"probabilities": 0.73}',
            "Probability: 20%. Then again, probability: 80%.",
            "I would rather not say.",
            '{"probability": 0.7',
            "probability: 173",
            "Probability of NO: 20%",
        ],
    )
    def test_not_found(self, text: str) -> None:
        assert lenient_object(text, ONE) is None

    def test_words_stand_for_one_number_only(self) -> None:
        assert lenient_object("Probability: 73%", ("A", "B")) is None

    def test_a_flood_is_not_searched(self) -> None:
        assert lenient_object("x" * (LONGEST - len(GOOD)) + GOOD, ONE) is not None
        assert lenient_object("x" * LONGEST + GOOD, ONE) is None
        assert partial_object(GOOD[:-1] + ", " * LONGEST, ONE) is None

    @given(st.text())
    def test_nothing_breaks_it(self, text: str) -> None:
        for made in (strict_object(text), lenient_object(text, ONE), partial_object(text, ONE)):
            assert made is None or isinstance(made, dict)

    @given(
        st.dictionaries(st.text(), st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.text())),
        st.floats(0, 1),
        st.data(),
    )
    def test_a_number_is_never_taken_before_it_is_finished(
        self, others: dict[str, Any], probability: float, data: st.DataObject
    ) -> None:
        text = json.dumps({**others, "probability": probability, "rationale": 'so, "{said}"'})
        cut = data.draw(st.integers(0, len(text)))
        found = partial_object(text[:cut], ONE)
        assert found is None or found["probability"] == probability


class TestReading:
    def test_binary(self) -> None:
        made = read(Binary(), {"probability": 0.73, "confidence": 0.6, "rationale": "r"})
        assert made.probabilities == pytest.approx((0.73, 0.27))
        assert (made.self_confidence, made.rationale) == (0.6, "r")

    @pytest.mark.parametrize("confidence", [None, "high", 7, True])
    def test_a_bad_confidence_is_no_reason_to_lose_the_forecast(self, confidence: object) -> None:
        assert read(Binary(), {"probability": 1, "confidence": confidence}).self_confidence is None

    @pytest.mark.parametrize(("given", "meant"), [("0.73", 0.73), ("73%", 0.73), (" 73 % ", 0.73), (1, 1.0)])
    def test_numbers_given_as_text(self, given: object, meant: float) -> None:
        assert read(Binary(), {"probability": given}).probabilities[0] == pytest.approx(meant)

    @pytest.mark.parametrize(
        "given", [None, "likely", True, 73, -0.1, 1.01, [0.5], {}, "", float("nan"), 10**400]
    )
    def test_what_is_no_probability(self, given: object) -> None:
        with pytest.raises(UnreadableError, match="probability"):
            read(Binary(), {"probability": given})

    def test_named_outcomes_are_made_to_sum_to_one(self) -> None:
        made = read(Exclusive(("x", "y", "z")), {"A": 0.5, "B": 0.3, "C": 0.25})
        assert made.probabilities == pytest.approx((0.5 / 1.05, 0.3 / 1.05, 0.25 / 1.05))

    @pytest.mark.parametrize(
        "shares", [{"A": 0.9, "B": 0.9}, {"A": 0.1, "B": 0.1}, {"A": 1.0}, {"A": -0.1, "B": 1}]
    )
    def test_shares_that_make_no_sense(self, shares: dict[str, float]) -> None:
        with pytest.raises(UnreadableError):
            read(Exclusive(("x", "y")), shares)

    @pytest.mark.parametrize(
        "values", [[1, 2, 3, 4, 5, 7, 6], [1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, float("inf")]]
    )
    def test_quantiles_that_make_no_sense(self, values: list[float]) -> None:
        with pytest.raises(UnreadableError):
            read(Numeric((1.0, 2.0)), dict(zip(QUANTILE_FIELDS, values, strict=False)))

    def test_words_of_a_model_cannot_steer_a_terminal(self) -> None:
        made = read(Binary(), {"probability": 0.5, "rationale": "so\x1b[2Jit\u202eis" + "x" * 9_000})
        assert made.rationale.startswith("so[2Jitisx")
        assert len(made.rationale) <= 8_000

    def test_free_text_is_cleaned_and_cut(self) -> None:
        made = read(FreeText(max_characters=5), {"answer": ' "Paris, of course." '})
        assert (made.text, made.probabilities) == ("Paris", ())
        assert read(FreeText(), {"answer": 42}).text == "42"
        for empty in ("", None, ' "" '):
            with pytest.raises(UnreadableError):
                read(FreeText(), {"answer": empty})


LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
numbers = st.floats(-1e6, 1e6)


class TestQuantiles:
    @given(
        st.lists(numbers, min_size=7, max_size=7).map(sorted),
        st.lists(numbers, min_size=1, max_size=20, unique=True).map(sorted),
    )
    def test_a_distribution_comes_out(self, values: list[float], grid: list[float]) -> None:
        made = cumulative(LEVELS, tuple(values), tuple(grid), NumericScale.LINEAR)
        assert all(0.0 <= value <= 1.0 for value in made)
        assert all(a <= b + 1e-12 for a, b in pairwise(made))

    @given(st.lists(numbers, min_size=7, max_size=7, unique=True).map(sorted))
    def test_at_the_quantiles_it_is_what_was_said(self, values: list[float]) -> None:
        assert cumulative(LEVELS, tuple(values), tuple(values), NumericScale.LINEAR) == pytest.approx(LEVELS)

    def test_between_them_it_is_linear_on_the_scale(self) -> None:
        values = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
        grid = tuple(np.geomspace(1, 64, 50))
        expected = np.interp(np.log(grid), np.log(values), LEVELS)
        assert cumulative(LEVELS, values, grid, NumericScale.LOG) == pytest.approx(tuple(expected))

    def test_tails_are_open_and_continue_the_density(self) -> None:
        values = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0)
        step = 1e-6
        below, low, above, high, far = cumulative(
            LEVELS, values, (10 - step, 10 + step, 70 - step, 70 + step, 1e3), NumericScale.LINEAR
        )
        assert (0.05 - below) / step == pytest.approx((low - 0.05) / step, rel=1e-3)
        assert (0.95 - above) / step == pytest.approx((high - 0.95) / step, rel=1e-3)
        assert 0.95 < high < far <= 1.0

    def test_all_on_one_point_is_a_step(self) -> None:
        made = cumulative(LEVELS, (5.0,) * 7, (4.0, 5.0, 6.0), NumericScale.LINEAR)
        assert made == pytest.approx((0.0, 0.95, 1.0))

    @pytest.mark.parametrize(("values", "grid"), [((0.0,) * 7, (1.0,)), ((1.0,) * 7, (0.0, 1.0))])
    def test_log_scales_want_positive_numbers(
        self, values: tuple[float, ...], grid: tuple[float, ...]
    ) -> None:
        with pytest.raises(ValueError, match="greater than 0"):
            cumulative(LEVELS, values, grid, NumericScale.LOG)


class TestSchemas:
    KINDS: tuple[QuestionKind, ...] = (Binary(), Exclusive(("a", "b", "c")), Numeric((0.0, 1.0)), FreeText())

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("numbers_first", [True, False])
    def test_they_keep_to_what_every_provider_takes(self, kind: QuestionKind, numbers_first: bool) -> None:
        made = answer_schema(kind, numbers_first=numbers_first)
        assert set(made.schema) == {"type", "properties", "required", "additionalProperties"}
        assert made.schema["additionalProperties"] is False
        fields = list(made.schema["properties"])
        assert made.schema["required"] == fields
        for part in made.schema["properties"].values():
            assert set(part) == {"type", "description"}
            assert part["type"] in ("string", "number")
        assert json.loads(made.text) == made.schema
        assert set(made.needed) < set(fields)
        assert made.name.replace("_", "").isalnum()
        assert fields.index("rationale") == (len(fields) - 1 if numbers_first else 0)

    def test_questions_of_one_shape_share_one(self) -> None:
        one = answer_schema(Exclusive(("a", "b")), numbers_first=True)
        assert one is answer_schema(Exclusive(("x", "y")), numbers_first=True)
        assert one is not answer_schema(Exclusive(("x", "y", "z")), numbers_first=True)

    def test_letters(self) -> None:
        assert [letter(i) for i in (0, 25, 26, 27, 51, 52, 701, 702)] == [
            *("A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA")
        ]
        assert len({letter(i) for i in range(2_000)}) == 2_000
