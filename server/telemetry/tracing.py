# SPDX-License-Identifier: Apache-2.0
"""Predictions as OpenTelemetry traces, made from finished ones by a thread of their own.

One span for the prediction, within the caller's trace where it brings one, one for
each member that was asked, one below it for each call that was made, and events where
the vote was complete and a consensus was reached or not. Only this room imports
OpenTelemetry, and only where an endpoint is configured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from server.forecasting.deadline import Clock
from server.forecasting.ports import Identity
from server.forecasting.prediction import FailedPrediction, Prediction
from server.telemetry.settings import TelemetrySettings
from server.telemetry.spans import Moment, SpanWriter

log = structlog.get_logger(__name__)

#: Finished predictions that wait for their spans; more are dropped and counted.
WAITING = 4096
#: Longest that one export may take, also the last one while stopping.
EXPORT_TIMEOUT_S = 5.0

#: Who a member of an ensemble is, by both names, with the provider as OpenTelemetry calls it.
Who = Callable[[str, str], Identity]


@dataclass(frozen=True, slots=True)
class _Finished:
    what: Prediction | FailedPrediction
    at: Moment


class Tracing:
    """Makes spans of finished predictions; a ``PredictionObserver``.

    The answering path pays for two clocks and a queue. With ``WAITING``
    predictions in the queue, further ones leave no trace; ``dropped`` counts them.
    """

    def __init__(
        self, settings: TelemetrySettings, processor: SpanProcessor, who: Who, clock: Clock, version: str
    ) -> None:
        self._clock = clock
        self._provider = TracerProvider(
            # A caller that traces decides for its own requests.
            sampler=ParentBased(TraceIdRatioBased(settings.traces_share)),
            resource=Resource.create({"service.name": settings.service_name, "service.version": version}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        tracer = self._provider.get_tracer("consilience", version)
        self._writer = SpanWriter(tracer, who, content=settings.traces_content)
        self._finished: SimpleQueue[_Finished | None] = SimpleQueue()
        self.dropped = 0
        self._thread = Thread(target=self._write, name="traces", daemon=True)
        self._thread.start()

    def predicted(self, prediction: Prediction) -> None:
        """Leave an answer to the thread."""
        self._leave(prediction)

    def failed(self, failure: FailedPrediction) -> None:
        """Leave a failure to the thread."""
        self._leave(failure)

    def _leave(self, what: Prediction | FailedPrediction) -> None:
        if self._finished.qsize() >= WAITING:
            self.dropped += 1
            return
        self._finished.put(_Finished(what, Moment(self._clock.now().timestamp(), self._clock.monotonic())))

    def _write(self) -> None:
        while (finished := self._finished.get()) is not None:
            try:
                self._writer.write(finished.what, finished.at)
            except Exception as error:  # a trace must never end the tracing
                log.error("trace_failed", exc_info=error)

    def close(self) -> None:
        """Write what waits, export it, stop. Blocks for at most about the export's time limit."""
        self._finished.put(None)
        self._thread.join()
        self._provider.shutdown()
        if self.dropped:
            log.warning("traces_dropped", predictions=self.dropped)


def open_tracing(settings: TelemetrySettings, who: Who, clock: Clock, version: str) -> Tracing:
    """Traces to the configured endpoint. One that does not answer costs traces, nothing else."""
    exporter = OTLPSpanExporter(endpoint=settings.traces_endpoint, timeout=EXPORT_TIMEOUT_S)
    return Tracing(settings, BatchSpanProcessor(exporter), who, clock, version)
