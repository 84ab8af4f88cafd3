# SPDX-License-Identifier: Apache-2.0
"""Spans of real predictions: in memory, and over OTLP from a whole server to a real receiver."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from consilience.v1 import predict_service_pb2, prediction_pb2, question_pb2
from server.app import App
from server.config import ConfigError
from server.engine.request import PredictionRequest
from server.forecasting.errors import NoAnswerError
from server.forecasting.forecast import Cost, CostSource, Forecast, TokenUsage
from server.forecasting.ports import Forecaster, Identity
from server.forecasting.question import Question
from server.simulator.server import Simulator
from server.telemetry.settings import TelemetrySettings
from server.telemetry.tracing import WAITING, Tracing
from tests.engine.conftest import engine_of, ensemble_of
from tests.fakes import Dying, Hanging, Saying, yes
from tests.patience import STEP_S, LoopClock
from tests.running import chat, running, settings

#: No pause makes two readings of the clock, one after the other, differ by more.
APART_NS = round(2 * STEP_S * 1e9)
ASKED = "will the merger of two unnamed firms close"


def said(probability: float) -> Forecast:
    return Forecast(
        (probability, 1 - probability),
        rationale=f"because {ASKED}",
        model="gpt-x-2026",
        usage=TokenUsage(input_uncached=100, cache_read=20, cache_write=3, output=40, reasoning=7),
        cost=Cost(1_500_000, CostSource.PROVIDER),
    )


def who(ensemble: str, member: str) -> Identity:
    assert ensemble == "test"
    return Identity("chat", "openai", "gpt-x") if member == "model" else Identity("market")


async def traced(members: dict[str, Forecaster], **choices: Any) -> dict[str, ReadableSpan]:
    """The spans of one prediction, by name; of a failed one, too."""
    memory = InMemorySpanExporter()
    options = TelemetrySettings(
        traces_content=choices.pop("content", False), traces_share=choices.pop("share", 1.0)
    )
    tracing = Tracing(options, SimpleSpanProcessor(memory), who, LoopClock(), "1.2.3")
    engine = engine_of(ensemble_of(members, **choices), observers=(tracing,))
    try:
        await engine.predict(PredictionRequest(Question(id="", text=ASKED)))
    except NoAnswerError:
        pass
    finally:
        tracing.close()
    spans = memory.get_finished_spans()
    assert len({span.context.trace_id for span in spans}) <= 1
    return {span.name: span for span in spans}


def events(span: ReadableSpan) -> dict[str, dict[str, Any]]:
    return {event.name: dict(event.attributes or {}) for event in span.events}


async def test_a_prediction_is_a_span_and_so_is_each_member() -> None:
    spans = await traced({"model": Saying(said(0.7)), "other": yes(0.8), "broken": Dying()}, min_responses=2)
    assert set(spans) == {"predict test", "chat gpt-x", "member other", "member broken"}
    root, model, broken = spans["predict test"], spans["chat gpt-x"], spans["member broken"]
    assert root.parent is None
    assert root.resource.attributes["service.name"] == "consilience"
    assert root.resource.attributes["service.version"] == "1.2.3"
    assert root.attributes["gen_ai.workflow.name"] == "test"
    assert root.attributes["consilience.cost_usd"] == pytest.approx(0.0015)
    assert root.status.status_code is StatusCode.UNSET
    vote = events(root)["consilience.vote.complete"]
    assert (vote["consilience.vote.asked"], vote["consilience.vote.answered"]) == (3, 2)
    assert vote["consilience.vote.share"] == 1.0
    assert events(root)["consilience.consensus.reached"] == {"consilience.decision.action": "proceed"}
    assert model.kind is SpanKind.CLIENT
    wanted = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-x",
        "gen_ai.response.model": "gpt-x-2026",
        "gen_ai.usage.input_tokens": 123,
        "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.cache_creation.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "consilience.member": "model",
        "consilience.cost_usd": 0.0015,
    }
    assert wanted.items() <= dict(model.attributes).items()
    assert broken.attributes["error.type"] == "internal"
    assert broken.status.status_code is StatusCode.ERROR
    assert events(broken) == {"exception": {"exception.type": "internal"}}
    for name, span in spans.items():
        if name != "predict test":
            assert span.parent.span_id == root.context.span_id
        # Two clocks meet here; they are read a moment apart.
        assert root.start_time - APART_NS <= span.start_time <= span.end_time <= root.end_time + APART_NS


async def test_one_after_the_other_in_sequence() -> None:
    members = {"model": Saying(said(0.7)), "other": yes(0.2)}
    spans = await traced(members, execution="sequential", min_responses=2)
    assert spans["chat gpt-x"].end_time <= spans["member other"].start_time + 1_000


async def test_who_was_not_needed_has_an_event_in_place_of_a_span() -> None:
    spans = await traced({"model": Saying(said(0.7)), "other": yes(0.8)}, execution="sequential")
    assert set(spans) == {"predict test", "chat gpt-x"}
    assert events(spans["predict test"])["consilience.member.not_asked"] == {
        "consilience.member": "other",
        "consilience.reason": "not_needed",
    }


async def test_a_late_member_is_as_long_as_the_deadline_left_it() -> None:
    spans = await traced({"model": Hanging(), "other": yes(0.8)}, deadline_s=0.2, min_responses=1)
    late = spans["chat gpt-x"]
    assert late.attributes["error.type"] == "deadline_exceeded"
    assert late.end_time - late.start_time > 50_000_000
    assert "gen_ai.usage.input_tokens" not in late.attributes


async def test_no_consensus() -> None:
    spans = await traced({"model": Saying(said(0.9)), "x": Dying(), "y": Dying()})
    assert events(spans["predict test"])["consilience.consensus.failed"] == {
        "consilience.decision.action": "abstain"
    }


async def test_a_failed_prediction_has_its_members_and_an_exception() -> None:
    spans = await traced({"x": Dying(), "y": Dying()})
    assert set(spans) == {"predict test", "member x", "member y"}
    root = spans["predict test"]
    assert root.status.status_code is StatusCode.ERROR
    assert root.attributes["error.type"] == "no_answer"
    assert events(root) == {
        "consilience.consensus.failed": {"error.type": "no_answer"},
        "exception": {"exception.type": "no_answer"},
    }
    assert root.end_time > root.start_time


@pytest.mark.parametrize("content", [False, True])
async def test_what_was_asked_and_said_is_told_only_on_demand(*, content: bool) -> None:
    spans = await traced({"model": Saying(said(0.7)), "other": yes(0.8), "x": Dying()}, content=content)
    everything = " ".join(span.to_json() for span in spans.values())
    assert (ASKED in everything) == content
    assert ("consilience.explanation" in everything) == content
    assert ("exception.message" in everything) == content


async def test_a_share_of_nearly_nothing_leaves_nothing() -> None:
    assert await traced({"model": Saying(said(0.7))}, share=1e-15) == {}


async def test_an_endless_queue_is_not_kept() -> None:
    """With its thread held up, predictions beyond the limit are dropped and counted."""
    gate, begun = Event(), Event()

    def waits(ensemble: str, member: str) -> Identity:
        begun.set()
        gate.wait()
        return Identity("market")

    memory = InMemorySpanExporter()
    tracing = Tracing(TelemetrySettings(), SimpleSpanProcessor(memory), waits, LoopClock(), "1")
    engine = engine_of(ensemble_of({"other": yes(0.8)}))
    prediction = await engine.predict(PredictionRequest(Question(id="", text="?")))
    tracing.predicted(prediction)
    begun.wait()  # the thread has taken that one and is stuck with it
    for _ in range(WAITING + 10):
        tracing.predicted(prediction)
    assert tracing.dropped == 10
    gate.set()
    tracing.close()
    assert len(memory.get_finished_spans()) == 2 * (WAITING + 1)


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.got: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.endpoint = f"http://127.0.0.1:{self.server_port}/v1/traces"

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self.got
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Receive(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(ExportTraceServiceRequest.FromString(body))
        self.server.headers.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in http.server
        """Nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


@pytest.fixture
async def parts() -> AsyncIterator[Callable[..., dict[str, Any]]]:
    async with Simulator() as simulator:

        def made(**telemetry: Any) -> dict[str, Any]:
            return {
                "providers": {"sim": {"base_url": f"{simulator.url}/openai/v1", "flavour": "openai"}},
                "forecasters": {"well": chat("sim-p0.7"), "market": {"kind": "market"}},
                "ensembles": {"all": {"members": ["well", "market"], "deadline_s": 10}},
                "telemetry": telemetry,
            }

        yield made


async def test_spans_reach_a_receiver_from_a_running_server(
    parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of-good-news")
    with receiving() as receiver:
        chosen = parts(traces_endpoint=receiver.endpoint, service_name="desk-1")
        async with running(settings(tmp_path, **chosen)) as server:
            answered = await server.ask(ASKED)
    assert receiver.headers[0].get("authorization") == "Bearer of-good-news"
    service = {a.key: a.value.string_value for a in receiver.got[0].resource_spans[0].resource.attributes}
    assert service["service.name"] == "desk-1"
    spans = {span.name: span for span in receiver.spans}
    assert set(spans) == {"predict all", "chat sim-p0.7", "attempt sim-p0.7", "member market"}
    root, model = spans["predict all"], spans["chat sim-p0.7"]
    attempt = spans["attempt sim-p0.7"]
    assert attempt.parent_span_id == model.span_id
    assert model.start_time_unix_nano - 1_000_000 <= attempt.start_time_unix_nano
    assert attempt.end_time_unix_nano <= model.end_time_unix_nano + 1_000_000
    assert {span.trace_id for span in spans.values()} == {root.trace_id}
    assert model.parent_span_id == root.span_id
    told = {a.key: a.value for a in root.attributes}
    assert told["consilience.prediction.id"].string_value == answered.id
    names = {a.key: a.value for a in model.attributes}
    assert names["gen_ai.provider.name"].string_value == "openai"
    assert names["gen_ai.usage.input_tokens"].int_value > 0
    took = next(m.latency for m in answered.members if m.member == "well").ToTimedelta().total_seconds()
    assert (model.end_time_unix_nano - model.start_time_unix_nano) / 1e9 == pytest.approx(took, abs=1e-5)
    assert ASKED not in str(receiver.got)


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def test_a_callers_trace_goes_on_and_each_call_has_a_span(parts: Any, tmp_path: Path) -> None:
    with receiving() as receiver:
        chosen = parts(traces_endpoint=receiver.endpoint, traces_share=1e-15)
        chosen["forecasters"]["flaps"] = chat("sim-500-first1")
        chosen["forecasters"]["fails"] = chat("sim-503")
        chosen["ensembles"]["all"]["members"] = ["well", "flaps", "fails"]
        chosen["ensembles"]["sick"] = {"members": ["fails"], "deadline_s": 10}
        async with running(settings(tmp_path, **chosen)) as server:
            for flags, text in (("01", "One?"), ("00", "Not to be recorded?")):
                metadata = (("traceparent", f"00-{TRACE}-{SPAN}-{flags}"), ("tracestate", "desk=7"))
                await server.predict.Predict(
                    predict_service_pb2.PredictRequest(question=question_pb2.Question(text=text)),
                    metadata=metadata,
                )
            await server.ask("Of a caller that does not trace")
            with pytest.raises(grpc.aio.AioRpcError):
                await server.predict.Predict(
                    predict_service_pb2.PredictRequest(
                        question=question_pb2.Question(text="Whom nobody answers?"),
                        options=prediction_pb2.PredictOptions(ensemble="sick"),
                    ),
                    metadata=(("traceparent", f"00-{TRACE}-{SPAN}-01"),),
                )
    spans = receiver.spans
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    (root,) = (span for span in spans if span.name == "predict all")
    (failed,) = (span for span in spans if span.name == "predict sick")
    for span in (root, failed):
        assert span.parent_span_id.hex() == SPAN
        assert span.kind == span.SPAN_KIND_SERVER
    assert root.trace_state == "desk=7"
    below: dict[str, list[Any]] = {}
    for span in spans:
        below.setdefault(span.parent_span_id.hex(), []).append(span)
    (flaps,) = (span for span in below[root.span_id.hex()] if span.name == "chat sim-500-first1")
    first, second = sorted(below[flaps.span_id.hex()], key=lambda span: span.start_time_unix_nano)
    told = [{a.key: a.value for a in span.attributes} for span in (first, second)]
    assert told[0]["error.type"].string_value == "provider_server_error"
    assert told[0]["http.response.status_code"].int_value == 500
    assert "error.type" not in told[1]
    assert [one["consilience.attempt"].int_value for one in told] == [1, 2]
    assert told[1]["gen_ai.usage.output_tokens"].int_value > 0
    (dead,) = below[failed.span_id.hex()]
    assert [span.name for span in below[dead.span_id.hex()]] == ["attempt sim-503"]


async def test_a_dead_receiver_costs_only_the_traces(parts: Any, tmp_path: Path) -> None:
    with receiving() as receiver:
        gone = receiver.endpoint
    async with running(settings(tmp_path, **parts(traces_endpoint=gone))) as server:
        assert (await server.ask("Will it rain?")).outcome


async def test_without_the_extra_the_mend_is_named(
    parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("server.telemetry.tracing", "server.telemetry.spans"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    app = App(settings(tmp_path, **parts(traces_endpoint="http://127.0.0.1:4318/v1/traces")))
    with pytest.raises(ConfigError, match=r"traces_endpoint.*opentelemetry.*consilience-server\[otel\]"):
        await app.start()


def test_off_means_not_even_imported() -> None:
    code = "import sys, server.app; print([n for n in sys.modules if n.startswith('opentelemetry.sdk')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:4318", "ftp://x/v1/traces", "http://me:pass@x/v1/traces", "https://x/v1?key=1"]
)
def test_an_endpoint_is_a_url_without_secrets(endpoint: str) -> None:
    with pytest.raises(ValueError, match="traces_endpoint"):
        TelemetrySettings(traces_endpoint=endpoint)
