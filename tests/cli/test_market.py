# SPDX-License-Identifier: Apache-2.0
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.serving import REPOSITORY, Served
from consilience import Client, MarketNotice, MarketNoticeKind, MarketSignal, MemberAnswer
from consilience.v1 import market_pb2
from server.cli.replay_view import Lines, decimals, signal_line
from server.cli.tally import Tally
from tests.cli.conftest import Run
from tests.sdk.answering import early, late

SAMPLE = REPOSITORY / "samples" / "books" / "nexousdt_spot_20240724"


@pytest.fixture(scope="module")
def market_served(served: Served) -> Served:
    with Client(served.address) as client:
        if not any(ensemble.outcomes for ensemble in client.admin.status().ensembles):
            pytest.skip("the quickstart has no market ensemble")
    return served


def test_a_replay_for_machines_ends_with_a_summary(market_served: Served, run: Run) -> None:
    done = run(
        "market", "--replay", str(SAMPLE), "--limit", "400", "--server", market_served.address, "--json"
    )
    *replies, summary = [json.loads(line) for line in done.out.splitlines()]
    signals = [reply for reply in replies if reply["event"] == "signal"]
    assert summary["event"] == "summary"
    assert summary["signals"] == len(signals) > 0
    warm = [signal for signal in signals if signal["warm"]]
    assert sum(summary["directions"].values()) == len(warm) > 0
    assert 0 < summary["latency_p50_s"] <= summary["latency_p99_s"]


def test_a_replay_for_people(market_served: Served, run: Run) -> None:
    done = run(
        "market", "--replay", f"{SAMPLE}.book20.npz", "--limit", "300", "--server", market_served.address
    )
    assert "warming up" in done.out
    for word in ("Sent", "Signals", "Directions", "Latency", "Came true"):
        assert word in done.out
    quiet = run(
        "market", "--replay", str(SAMPLE), "--limit", "300", "--quiet", "--server", market_served.address
    )
    assert "Signals" in quiet.out
    assert len(quiet.out.splitlines()) < len(done.out.splitlines())


def test_an_ensemble_that_is_not_there_is_one_line(served: Served, run: Run) -> None:
    done = run("market", "--replay", str(SAMPLE), "--ensemble", "nope", "--server", served.address)
    assert (done.code, done.out) == (1, "")
    assert re.match(r"consilience: .*ensemble.*\n$", done.err)


def test_the_same_notice_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    view, tally = Lines(as_json=False), Tally(0.1)
    for _ in range(3):
        notice = MarketNotice("X", MarketNoticeKind.SEQUENCE_GAP, "send a snapshot", 1_000_000)
        tally.count(notice)
        view.show(notice, tally)
    view.finish(tally)
    out = capsys.readouterr().out
    assert out.count("send a snapshot") == 1
    assert "sequence_gap 3" in out


def test_a_file_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    done = run("market", "--replay", str(tmp_path / "nothing"))
    assert done.code == 1
    assert "no such recording" in done.err


def _signal(sequence: int, mid_ticks: int, direction: str, warm: bool = True) -> MarketSignal:
    message = market_pb2.MarketSignal(
        symbol="X",
        sequence=sequence,
        warm=warm,
        horizon_updates=10,
        direction=direction,
        best_bid_ticks=mid_ticks - 1,
        best_ask_ticks=mid_ticks + 1,
    )
    message.latency.FromMicroseconds(sequence)
    return MarketSignal.from_message(message)


def test_signals_are_judged_by_the_first_book_at_their_horizon() -> None:
    tally = Tally(0.1)
    for signal in (
        _signal(1, 100, "UP", warm=False),  # not judged
        _signal(10, 100, "UP"),  # 20: 105, a hit
        _signal(15, 100, "DOWN"),  # 25: 105, a miss
        _signal(20, 105, "DOWN"),  # 30: 105, stayed
        _signal(25, 105, "NEUTRAL"),  # says neither
        _signal(30, 105, "UP"),  # 40: still open
    ):
        tally.count(signal)
    assert (tally.judged(), tally.hits(), tally.misses()) == (3, 1, 1)
    summary = tally.summary()
    assert summary["hit_rate"] == pytest.approx(1 / 3)
    assert summary["cold"] == 1
    assert summary["directions"] == {"UP": 2, "DOWN": 2, "NEUTRAL": 1}
    assert summary["latency_p50_s"] == pytest.approx(20e-6)
    assert summary["latency_p99_s"] == pytest.approx(30e-6)


def test_no_signals_at_all() -> None:
    summary = Tally(0.1).summary()
    assert summary["hit_rate"] is summary["latency_p50_s"] is summary["moved_rate"] is None


@pytest.mark.parametrize(("tick_size", "digits"), [(0.1, 1), (0.01, 2), (0.00001, 5), (1.0, 0), (0.0005, 4)])
def test_prices_show_one_tick(tick_size: float, digits: int) -> None:
    assert decimals(tick_size) == digits


def test_a_signal_line_says_what_to_do_or_why_not() -> None:
    answered, missing = MemberAnswer.from_message(early()), MemberAnswer.from_message(late())
    unsure, silent = (
        signal_line(replace(_signal(1, 100, ""), members=members), 0.01).plain
        for members in ((answered, missing), (missing, missing))
    )
    assert unsure.endswith("no network is sure enough")
    assert "%" not in unsure
    assert silent.endswith("nobody answered: 2 deadline_exceeded")
    assert signal_line(_signal(1, 100, "UP", warm=False), 0.01).plain.endswith("warming up")
    quiet, traded = (
        signal_line(
            replace(_signal(1, 100, "UP"), should_trade=should, not_traded_reason="too few"), 0.01
        ).plain
        for should in (False, True)
    )
    assert "▲ UP" in quiet
    assert "too few" in quiet
    assert "too few" not in traded
    assert "trade" not in quiet
    assert "trade" in traded
