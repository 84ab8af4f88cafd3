# SPDX-License-Identifier: Apache-2.0
"""Money from the configuration to the terminal: server, simulated provider, client and command."""

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.serving import simulating
from consilience import AbsentReason, Client, NotFoundError, Prediction, SpendingControl
from server.cli.main import main
from tests.e2e.server_process import ServerProcess

TOML = """
[spending]
lease_s = 5

[budgets.day]
limit_usd = 1
window = "1d"

[budgets.politics]
scope = "category:politics"
limit_usd = 0
stop_at = 2

[providers.sim]
base_url = "{url}/openai/v1"
flavour = "openai"

[forecasters.a]
kind = "chat"
provider = "sim"
model = "sim-p0.7"
price = {{ input = 1.0, cache_read = 0.1, output = 4.0 }}

[forecasters.b]
kind = "chat"
provider = "sim"
model = "sim-p0.6"

[ensembles.e]
members = ["a", "b"]
max_cost_per_query_usd = 0.05
deadline_s = 20
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("money")
    with simulating(folder) as simulator:
        toml = TOML.format(url=f"http://{simulator.address}")
        with ServerProcess(folder, toml) as started:
            yield started


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    with Client(server.address, deadline_s=20.0) as opened:
        yield opened


def cost(prediction: Prediction) -> int:
    assert prediction.cost is not None
    return prediction.cost.nano_usd


def test_an_answer_is_booked_and_an_unknown_price_refused(client: Client) -> None:
    estimate = client.estimate_cost("Will it rain?")
    assert estimate.upper_bound is None, "nobody knows what b costs"
    (a, b) = estimate.members
    assert a.upper_bound is not None
    assert (b.upper_bound, a.max_calls) == (None, 3)
    before = client.admin.spend().spends[0].settled_nano_usd
    prediction = client.predict("Will it rain?")
    refused = next(m for m in prediction.members if m.member == "b")
    assert refused.absent is not None
    assert refused.absent.reason is AbsentReason.POLICY_BUDGET_EXCEEDED
    assert "[forecasters.b.price]" in refused.absent.detail
    assert 0 < cost(prediction) <= a.upper_bound.nano_usd
    report = client.admin.spend("member")
    assert [spend.group for spend in report.spends] == ["a"]
    assert client.admin.spend().spends[0].settled_nano_usd == before + cost(prediction)
    day, politics = report.budgets
    assert (day.budget.scope, day.budget.window) == ("all", timedelta(days=1))
    assert politics.budget.window is None
    assert day.used == pytest.approx(day.settled_nano_usd / 10**9)


def test_budgets_are_set_and_removed_while_it_runs(client: Client) -> None:
    status = client.admin.set_budget("tight", "0.000001", scope="member:a", window=timedelta(hours=1))
    assert status.budget.limit_nano_usd == 1_000
    assert status.control is SpendingControl.STOP, "what was spent before counts"
    with pytest.raises(Exception, match="no member answered"):
        client.predict("Will it snow?")
    assert "tight" in [one.budget.name for one in client.admin.status().budgets]
    client.admin.remove_budget("tight")
    assert cost(client.predict("Will it snow?")) > 0
    with pytest.raises(NotFoundError, match="tight"):
        client.admin.remove_budget("tight")


def test_a_request_is_charged_once(client: Client) -> None:
    first = client.predict("Will it hail?", request_id="r-1")
    calls = client.admin.spend().spends[0].calls
    assert client.predict("Will it hail?", request_id="r-1").id == first.id
    assert client.admin.spend().spends[0].calls == calls


def test_metrics_show_spend_and_budgets(client: Client, server: ServerProcess) -> None:
    client.predict("Will it be fine?")
    with urllib.request.urlopen(f"http://{server.metrics}/metrics") as answer:
        text = answer.read().decode()
    assert 'consilience_spend_usd_total{member="a",provider="sim",source="price_table"}' in text
    assert 'consilience_spend_refusals_total{member="b",reason="unpriced"}' in text
    assert 'consilience_budget_limit_usd{budget="day"} 1.0' in text
    assert 'consilience_budget_control{budget="politics"}' in text


def test_the_command_shows_it(
    client: Client, server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    client.predict("Will it thunder?")
    run = runner(server, capsys)
    text = " ".join(run("spend", "--by", "member").split())
    assert "day" in text
    assert "all each 1 d" in text
    report = json.loads(run("spend", "--json"))
    assert report["spends"][0]["calls"] > 0
    assert "$0.000" in run("estimate", "Will it?", "--member", "a")
    assert json.loads(run("estimate", "Will it?", "--json"))["members"][1]["upper_bound"] is None
    assert "extra" in run("budget", "set", "extra", "12.5", "--window", "2h")
    assert json.loads(run("budget", "set", "extra", "7", "--json"))["budget"]["limit_nano_usd"] == 7 * 10**9
    assert "extra" in run("status")
    assert "removed" in run("budget", "remove", "extra")


def runner(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--server", server.address])
        captured = capsys.readouterr()
        assert ended.value.code in (0, None), captured.err
        return captured.out

    return run


def test_bad_amounts_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for word, arguments in (("lots", ["lots"]), ("soon", ["1", "--window", "soon"])):
        with pytest.raises(SystemExit) as ended:
            main(["budget", "set", "b", *arguments])
        assert ended.value.code == 2
        assert f"'{word}' is no" in capsys.readouterr().err


async def test_budgets_outlive_a_restart(tmp_path: Path) -> None:
    def start() -> ServerProcess:
        return ServerProcess(tmp_path, TOML.format(url="http://127.0.0.1:9"))

    with await asyncio.to_thread(start) as first, Client(first.address) as client:
        client.admin.set_budget("day", 3, window=timedelta(days=1))
    with await asyncio.to_thread(start) as second, Client(second.address) as client:
        budgets = {one.budget.name: one.budget for one in client.admin.status().budgets}
    assert budgets["day"].limit_nano_usd == 3 * 10**9
