# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.load.market_data import write_messages
from benchmarks.load.report import Outcome, write_html
from benchmarks.load.run import SCENARIOS
from benchmarks.server.aggregate_overhead import median_interval
from consilience.v1 import predict_service_pb2, stream_service_pb2

METHODS = {
    method.full_name: method
    for file in (predict_service_pb2, stream_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.json")), ids=lambda path: path.stem)
def test_a_scenario_sends_messages_of_the_contract(path: Path, tmp_path: Path) -> None:
    scenario = json.loads(path.read_text())
    assert 0 < scenario["total"] <= 100_000
    request = GetMessageClass(METHODS[scenario["call"]].input_type)
    if "data-file" in scenario:
        write_messages(tmp_path / "market.json")
        messages = json.loads((tmp_path / "market.json").read_text())
        assert len(messages) == 500
        assert "snapshot" in messages[0]["events"][0]
    else:
        messages = [scenario["data"]]
    for message in messages:
        json_format.ParseDict(message, request())


def test_all_kinds_of_calls_are_loaded() -> None:
    called = {json.loads(path.read_text())["call"].rpartition(".")[2] for path in SCENARIOS.glob("*.json")}
    assert called == {"Predict", "Aggregate", "StreamPredictions", "StreamMarket"}


def test_the_report_shows_what_happened(tmp_path: Path) -> None:
    latency_ms = {"min": 0.5, "p50": 1.0, "p90": 2.0, "p99": 123.0, "max": 400.0}
    good = Outcome("<Good>", "a.B.C", 100, 8, 1, 2.0, 50.0, latency_ms, [(0.5, 60), (1.0, 40)], 123.4, {})
    bad = Outcome("Bad", "a.B.D", 1, 1, 1, 2.0, 50.0, {}, [], None, {"Unavailable": 1})
    machine = {"processor": "P", "cores": 2, "load_average": 0.1, "python": "3.11", "packages": {}}
    write_html(tmp_path / "report.html", [good, bad], machine)
    page = (tmp_path / "report.html").read_text()
    for words in ("&lt;Good&gt;", "123.40"[:3], "Unavailable: 1", "n/a", "60 calls up to 0.50 ms"):
        assert words in page


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=60))
def test_the_interval_of_a_median_is_the_narrowest_that_covers(values: list[float]) -> None:
    low, high, level = median_interval(values)
    count, ordered = len(values), sorted(values)
    cut = next(k for k in range(count) if ordered[k] == low and ordered[count - 1 - k] == high)
    assert level >= 0.95
    covers = [1 - 2 * stats.binom.cdf(k, count, 0.5) for k in range(count // 2)]
    assert any(each == pytest.approx(level) for each in covers)
    assert sum(each >= 0.95 for each in covers) - 1 >= cut or ordered[cut] == low
