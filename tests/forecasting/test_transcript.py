# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from server.forecasting.transcript import MOST_ATTEMPTS, Attempted, Scribe, SentPrompt, TextBounds

TEXTS = st.lists(st.text(max_size=30), max_size=20)


@given(TEXTS, TEXTS, st.integers(0, 200), st.integers(0, 50))
def test_what_is_kept_stays_within_its_bounds(
    prompts: list[str], answers: list[str], whole: int, one: int
) -> None:
    scribe = Scribe(0.0, TextBounds(whole, one))
    places = [scribe.placed(SentPrompt(text, "")) for text in prompts]
    kept = [scribe.kept(text) for text in answers]
    held = sum(len(prompt.system) for prompt in scribe.prompts) + sum(len(text) for text, _ in kept)
    assert held <= whole
    assert all(len(text) <= one for text, _ in kept)
    for text, place in zip(prompts, places, strict=True):
        assert place is None or scribe.prompts[place].system == text
    for text, (part, is_cut) in zip(answers, kept, strict=True):
        assert text.startswith(part)
        assert is_cut == (part != text)


def test_a_prompt_is_kept_once() -> None:
    scribe = Scribe(0.0, TextBounds(100, 100))
    assert [scribe.placed(SentPrompt("a" * 60, "")) for _ in range(3)] == [0, 0, 0]
    assert scribe.placed(SentPrompt("b" * 60, "")) is None
    assert scribe.placed(SentPrompt("c" * 40, "")) == 1


def test_without_bounds_nothing_is_kept_but_the_calls() -> None:
    scribe = Scribe(2.0, None)
    assert scribe.placed(SentPrompt("a", "b")) is None
    assert scribe.kept("c") == ("", False)
    for _ in range(MOST_ATTEMPTS + 5):
        scribe.note(Attempted("m", "p", "x", scribe.after_s(3.5), 0.1))
    assert len(scribe.attempts) == MOST_ATTEMPTS
    assert scribe.attempts[0].after_s == 1.5
