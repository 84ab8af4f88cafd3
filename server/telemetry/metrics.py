# SPDX-License-Identifier: Apache-2.0
"""Prometheus metrics and the small HTTP server that shows them under /metrics."""

from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from server.addresses import split_address
from server.forecasting.prediction import FailedPrediction, MemberAnswer, Prediction
from server.telemetry.children import Children

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0, 10.0, 30.0)
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class Metrics:
    """Counts predictions and members' answers; a ``PredictionObserver``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._child = Children().of
        self._predictions = Counter(
            "consilience_predictions",
            "Predictions answered.",
            ("ensemble", "decision"),
            registry=self.registry,
        )
        self._failures = Counter(
            "consilience_prediction_failures",
            "Predictions failed.",
            ("ensemble", "error_type"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "consilience_prediction_duration_seconds",
            "Time from question to answer.",
            ("ensemble",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._agreement = Histogram(
            "consilience_prediction_vote_share",
            "Share of members that agree with the ensemble.",
            ("ensemble",),
            buckets=_SHARES,
            registry=self.registry,
        )
        self._answers = Counter(
            "consilience_member_answers",
            "Members' forecasts.",
            ("ensemble", "member"),
            registry=self.registry,
        )
        self._selection = Gauge(
            "consilience_member_selection_state",
            "1 for the state in which selection holds a member: active, probation or deselected.",
            ("ensemble", "member", "state"),
            registry=self.registry,
        )
        self._absences = Counter(
            "consilience_member_absences",
            "Members without a forecast.",
            ("ensemble", "member", "error_type"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "consilience_member_duration_seconds",
            "Time of one member's answer.",
            ("ensemble", "member"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._cost = Counter(
            "consilience_member_cost_usd",
            "Money spent, US dollars.",
            ("ensemble", "member"),
            registry=self.registry,
        )

    def selection_changed(self, ensemble: str, member: str, state: str) -> None:
        """A member has been deselected, put on probation, or taken back."""
        for each in ("active", "probation", "deselected"):
            self._child(self._selection, ensemble, member, each).set(each == state)

    def predicted(self, prediction: Prediction) -> None:
        """Count an answer."""
        name = prediction.ensemble
        self._child(self._predictions, name, prediction.decision.action.value).inc()
        self._child(self._duration, name).observe(prediction.elapsed_s)
        self._child(self._agreement, name).observe(prediction.agreement.vote_share)
        # The members of a cached answer have been counted with the original.
        for member in () if prediction.cached else prediction.members:
            self._member(name, member)

    def _member(self, ensemble: str, member: MemberAnswer) -> None:
        if member.absent is not None:
            self._child(self._absences, ensemble, member.member, member.absent.reason.value).inc()
        else:
            self._child(self._answers, ensemble, member.member).inc()
        if member.latency_s is not None:
            self._child(self._latency, ensemble, member.member).observe(member.latency_s)
        if member.answer.cost is not None:
            self._child(self._cost, ensemble, member.member).inc(member.answer.cost.nano_usd / 1e9)

    def failed(self, failure: FailedPrediction) -> None:
        """Count a failure."""
        self._child(self._failures, failure.ensemble, failure.reason).inc()


class MetricsServer:
    """Serves /metrics from a thread of its own."""

    def __init__(self, metrics: Metrics, listen: str) -> None:
        host, port = split_address(listen)
        self._server: WSGIServer
        self._thread: Thread
        try:
            self._server, self._thread = start_http_server(port, host, metrics.registry)
        except OSError as error:
            raise OSError(
                f"cannot listen on {listen} for metrics: {error.strerror}; set [telemetry] metrics_listen, "
                "or CONSILIENCE_TELEMETRY__METRICS_LISTEN in the environment; empty: no metrics"
            ) from error
        self.address = f"{listen.rpartition(':')[0]}:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
