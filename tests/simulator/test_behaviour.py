# SPDX-License-Identifier: Apache-2.0
import random

import pytest

from server.simulator.behaviour import Behaviour, Schedule, When, parse_behaviour
from server.simulator.faults import CONTENT, REFUSALS, Fault, status_of
from server.simulator.latency import Latency, Shape


def test_a_name_says_everything() -> None:
    made = parse_behaviour("sim-p0.73-lognormal400ms0.3-tail5x10-500-rate20-cached30-notemperature-noseed")
    assert made == Behaviour(
        probability=0.73,
        latency=Latency(Shape.LOGNORMAL, 0.4, 0.3, 0.05, 10.0),
        fault=Fault.SERVER_ERROR,
        schedule=Schedule(When.RATE, 20),
        cached_percent=30,
        rejects=frozenset({"temperature", "seed"}),
    )


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_has_a_name(fault: Fault) -> None:
    assert parse_behaviour(f"sim-{fault.value}").fault is fault


def test_unknown_word_is_named() -> None:
    with pytest.raises(ValueError, match="'frobnicate' is not known"):
        parse_behaviour("sim-frobnicate")


@pytest.mark.parametrize(
    ("schedule", "struck"),
    [
        ("first2", [True, True, False, False, False, False]),
        ("after2", [False, False, True, True, True, True]),
        ("every3", [False, False, True, False, False, True]),
        ("flap2", [True, True, False, False, True, True]),
    ],
)
def test_schedules(schedule: str, struck: list[bool]) -> None:
    made = parse_behaviour(f"sim-500-{schedule}").schedule
    assert [made.strikes(call, 0.5) for call in range(6)] == struck


def test_slow_tail_has_its_share() -> None:
    latency, source = Latency(typical_s=0.1, tail_share=0.05, tail_factor=10), random.Random(1)  # noqa: S311
    draws = [latency.draw(source) for _ in range(20_000)]
    assert set(draws) == {0.1, 1.0}
    assert sum(draw == 1.0 for draw in draws) / len(draws) == pytest.approx(0.05, abs=0.006)


def test_refusals_have_a_status_and_contents_do_not() -> None:
    assert {status_of(fault) // 100 for fault in REFUSALS} == {4, 5}
    assert not REFUSALS & CONTENT
