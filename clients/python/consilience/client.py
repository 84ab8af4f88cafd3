# SPDX-License-Identifier: Apache-2.0
"""The client for ordinary programs: every call waits for its answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, Unpack

import grpc

from consilience import _audit_calls, _calls, _experiment_calls, _member_calls, _money_calls, _operation_calls
from consilience._calls import Call, Response, Result
from consilience._settings import Settings
from consilience._version import __version__
from consilience.aggregation import Aggregation, Probabilities
from consilience.events import PredictionEvent
from consilience.experiments import Experiment, ExperimentReport, ExperimentState
from consilience.market import MarketEvent
from consilience.operation import Happening, ModeStatus
from consilience.options import Options
from consilience.outcomes import OutcomeResult, PerformanceReport
from consilience.pages import Page
from consilience.prediction import Prediction
from consilience.question import Question, Resolution
from consilience.record import PredictionFailure, StoredPrediction
from consilience.replay import Replay
from consilience.security import TLS
from consilience.spending import BudgetStatus, CostEstimate, SpendReport
from consilience.status import Member, OperatingMode, ServerStatus
from consilience.streams import MarketStream, Stream, error_of

__all__ = ["Admin", "Client"]


class _Wire:
    """A channel and what every call on it has in common."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        options = settings.options(__version__)
        self.channel: grpc.Channel = (
            grpc.insecure_channel(settings.address, options)
            if settings.tls is None
            else grpc.secure_channel(settings.address, settings.tls.credentials(), options)
        )

    def run(self, call: Call[Response, Result]) -> Result:
        """Make a unary call."""
        method: Any = self.channel.unary_unary(
            call.path, type(call.request).SerializeToString, call.response.FromString
        )
        try:
            response = method(call.request, timeout=call.timeout_s, metadata=call.metadata)
        except grpc.RpcError as error:
            raise error_of(error) from error
        return call.result(response)


class Client:
    """Talks to a Consilience server. Threads may share it; close it, or use ``with``.

    Args:
        address: Host and port, for example ``127.0.0.1:50051``.
        deadline_s: What every call gives the server to answer, seconds, unless
            the call says otherwise.
        network_margin_s: How much longer this side waits, for the way there and back.
        tls: Certificates; None is plain text, good for the same machine.
        token: Sent as bearer token with every call.
        provider_keys: Your own keys by provider name, used for your calls only.
        metadata: Sent with every call.
        allow_plaintext_secrets: Let token and keys leave this machine without TLS.
        channel_options: gRPC's own channel options.

    Raises:
        ValueError: an argument makes no sense, or a secret would travel in clear text.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        deadline_s: float = 2.0,
        network_margin_s: float = 0.5,
        tls: TLS | None = None,
        token: str | None = None,
        provider_keys: Mapping[str, str] | None = None,
        metadata: Sequence[tuple[str, str]] = (),
        allow_plaintext_secrets: bool = False,
        channel_options: Sequence[tuple[str, object]] = (),
    ) -> None:
        settings = Settings(
            address,
            deadline_s,
            network_margin_s,
            tls,
            token,
            dict(provider_keys or {}),
            tuple(metadata),
            allow_plaintext_secrets,
            tuple(channel_options),
        )
        self._settings = settings
        self._wire = _Wire(settings)
        self.admin = Admin(self._wire)

    @property
    def channel(self) -> grpc.Channel:
        """The gRPC channel, for the generated stubs in ``consilience.v1``."""
        return self._wire.channel

    def predict(
        self, question: Question | str, *, request_id: str | None = None, **options: Unpack[Options]
    ) -> Prediction:
        """Ask an ensemble one question.

        A string is the text of a question of your own; ``Question(id=...)`` asks
        one that the server's catalogue knows. Without ``request_id`` one is made,
        so that a repetition after a lost connection is charged once.
        """
        return self._wire.run(_calls.predict(self._settings, question, request_id, options))

    def estimate_cost(self, question: Question | str, **options: Unpack[Options]) -> CostEstimate:
        """What ``predict`` would cost at most, and usually; asks nobody."""
        return self._wire.run(_money_calls.estimate_cost(self._settings, question, options))

    def batch_predict(
        self,
        questions: Sequence[Question | str],
        *,
        request_id: str | None = None,
        **options: Unpack[Options],
    ) -> tuple[Prediction | PredictionFailure, ...]:
        """Ask 1 to 1,000 questions as one request; results come in their order."""
        return self._wire.run(_calls.batch_predict(self._settings, questions, request_id, options))

    def aggregate(
        self,
        probabilities: Probabilities,
        *,
        weights: Sequence[float] | None = None,
        pooling: str = "",
        parameters: Mapping[str, float] | None = None,
        min_agreement: float | None = None,
        high_agreement: float | None = None,
        timeout_s: float | None = None,
    ) -> Aggregation:
        """Pool forecasts that you bring along; asks nobody, stores nothing."""
        return self._wire.run(
            _calls.aggregate(
                self._settings,
                probabilities,
                weights,
                pooling,
                parameters,
                min_agreement,
                high_agreement,
                timeout_s,
            )
        )

    def stream(
        self, question: Question | str, *, request_id: str | None = None, **options: Unpack[Options]
    ) -> Stream[PredictionEvent]:
        """Ask one question and watch the answer form: started, arrived ..., prediction."""
        call = _calls.stream(self._settings, question, request_id, options)
        method: Any = self.channel.unary_stream(
            call.path, type(call.request).SerializeToString, call.response.FromString
        )
        running = method(call.request, timeout=call.timeout_s, metadata=call.metadata)
        return Stream(running, call.result)

    def market(self, events: Iterable[MarketEvent | Sequence[MarketEvent]] | None = None) -> MarketStream:
        """Stream order-book updates in, and signals, features and notices out.

        Give ``events`` (each item, an event or several, becomes one message), or
        leave it out and use ``send`` and ``done_sending``. No deadline ends it.
        """
        call = _calls.market(self._settings)
        method: Any = self.channel.stream_stream(
            call.path, type(call.request).SerializeToString, call.response.FromString
        )
        return MarketStream(method, call, events)

    def get_prediction(
        self, prediction_id: str, *, wait_s: float = 0.0, timeout_s: float | None = None
    ) -> StoredPrediction:
        """A prediction from the record; waits up to ``wait_s`` (30 at most) for a running one."""
        return self._wire.run(_calls.get_prediction(self._settings, prediction_id, wait_s, timeout_s))

    def list_questions(
        self,
        *,
        category: str = "",
        contains: str = "",
        page_size: int = 0,
        page_token: str = "",
        timeout_s: float | None = None,
    ) -> Page[Question]:
        """One page of the server's catalogue, in order of id."""
        return self._wire.run(
            _calls.list_questions(self._settings, category, contains, page_size, page_token, timeout_s)
        )

    def questions(self, *, category: str = "", contains: str = "") -> Iterator[Question]:
        """All questions of the catalogue that match, page by page."""
        token = ""
        while True:
            page = self.list_questions(category=category, contains=contains, page_token=token)
            yield from page
            token = page.next_page_token
            if not token:
                return

    def get_question(self, question_id: str, *, timeout_s: float | None = None) -> Question:
        """One question of the catalogue, with its resolution where that is known."""
        return self._wire.run(_calls.get_question(self._settings, question_id, timeout_s))

    def close(self) -> None:
        """Close the connection; running calls end."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Admin:
    """The administrator's calls, as ``client.admin``."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def status(self, *, timeout_s: float | None = None) -> ServerStatus:
        """What the server is and how it is doing."""
        return self._wire.run(_calls.status(self._wire.settings, timeout_s))

    def set_mode(
        self,
        mode: OperatingMode | str | None,
        *,
        reason: str = "",
        seconds: float | None = None,
        timeout_s: float | None = None,
    ) -> ModeStatus:
        """Set the mode by hand, for so long or until the next call; None: the server chooses again."""
        call = _operation_calls.set_mode(self._wire.settings, mode, reason, seconds, timeout_s)
        return self._wire.run(call)

    def watch(self, kinds: Sequence[str] = ()) -> Stream[Happening]:
        """What happens in the server from now on; the first says that the watch has begun.

        Kinds: "prediction", "failure", "member", "mode", "circuit", "spend", "alert"; none: all.
        """
        call = _operation_calls.watch(self._wire.settings, kinds)
        method: Any = self._wire.channel.unary_stream(
            call.path, type(call.request).SerializeToString, call.response.FromString
        )
        return Stream(method(call.request, timeout=call.timeout_s, metadata=call.metadata), call.result)

    def members(self, ensemble: str = "", *, timeout_s: float | None = None) -> tuple[Member, ...]:
        """The members of an ensemble (the default one where none is named), in configured order."""
        found: list[Member] = []
        token = ""
        while True:
            page = self._wire.run(_calls.members(self._wire.settings, ensemble, 0, token, timeout_s))
            found.extend(page)
            token = page.next_page_token
            if not token:
                return tuple(found)

    def add_member(
        self,
        name: str,
        *,
        ensemble: str = "",
        definition: Mapping[str, object] | None = None,
        weight: float = 1.0,
        member_timeout_s: float | None = None,
        min_confidence: float = 0.0,
        etag: str = "",
        timeout_s: float | None = None,
    ) -> Member:
        """Add a member to an ensemble (the default one where none is named) while it serves.

        ``definition``: the keys of a ``[forecasters.NAME]`` table; left out: the
        configured forecaster of that name. ``etag``: the ensemble's when last read;
        left out: add to whatever is there.
        """
        call = _member_calls.add_member(
            self._wire.settings,
            name,
            ensemble,
            definition,
            weight,
            member_timeout_s,
            min_confidence,
            etag,
            timeout_s,
        )
        return self._wire.run(call)

    def remove_member(
        self, name: str, *, ensemble: str = "", etag: str = "", timeout_s: float | None = None
    ) -> None:
        """Remove a member; predictions under way keep it. ``etag``: the member's when last read."""
        call = _member_calls.remove_member(self._wire.settings, name, ensemble, etag, timeout_s)
        self._wire.run(call)

    def spend(
        self,
        group_by: str = "",
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        timeout_s: float | None = None,
    ) -> SpendReport:
        """What was spent in [start, end), and all budgets as they are now.

        Groups: "member", "provider", "category", "caller", "budget"; left out: the total.
        """
        return self._wire.run(_money_calls.spend(self._wire.settings, group_by, start, end, timeout_s))

    def set_budget(
        self,
        name: str,
        limit_usd: float | Decimal,
        *,
        scope: str = "all",
        window: timedelta | None = None,
        timeout_s: float | None = None,
    ) -> BudgetStatus:
        """Set a budget on all servers of the database; it holds at once.

        Scopes: "all", "category:NAME", "caller:NAME", "member:NAME". Without a
        window the limit holds for ever.
        """
        call = _money_calls.set_budget(self._wire.settings, name, limit_usd, scope, window, timeout_s)
        return self._wire.run(call)

    def remove_budget(self, name: str, *, timeout_s: float | None = None) -> None:
        """Remove a budget."""
        self._wire.run(_money_calls.remove_budget(self._wire.settings, name, timeout_s))

    def record_outcomes(
        self, resolutions: Sequence[Resolution], *, timeout_s: float | None = None
    ) -> tuple[OutcomeResult, ...]:
        """Say what happened, for 1 to 10,000 questions at once; saying it again changes nothing."""
        return self._wire.run(_calls.record_outcomes(self._wire.settings, resolutions, timeout_s))

    def performance(
        self,
        ensemble: str = "",
        *,
        member: str = "",
        category: str = "",
        horizon: str = "",
        regime: str = "",
        window: str = "",
        timeout_s: float | None = None,
    ) -> PerformanceReport:
        """How well members did, in all cells and windows that are not narrowed down, page by page."""
        cell = {
            "ensemble": ensemble,
            "member": member,
            "category": category,
            "horizon": horizon,
            "regime": regime,
            "window": window,
        }
        report, token = self._wire.run(_calls.performance(self._wire.settings, cell, "", timeout_s))
        rows = list(report.performances)
        while token:
            page, token = self._wire.run(_calls.performance(self._wire.settings, cell, token, timeout_s))
            rows.extend(page.performances)
        return PerformanceReport(tuple(rows), report.correlation)

    def predictions(self, *, question_id: str = "", timeout_s: float | None = None) -> Iterator[Prediction]:
        """Stored predictions, newest first, page by page."""
        token = ""
        while True:
            page = self._wire.run(_calls.list_predictions(self._wire.settings, question_id, token, timeout_s))
            yield from page
            token = page.next_page_token
            if not token:
                return

    def replay(self, prediction_id: str, *, timeout_s: float | None = None) -> Replay:
        """Compute a stored prediction again from its record alone, and compare."""
        return self._wire.run(_audit_calls.replay(self._wire.settings, prediction_id, timeout_s))

    def erase(
        self,
        question_id: str = "",
        *,
        before: datetime | None = None,
        reason: str = "",
        timeout_s: float | None = None,
    ) -> int:
        """Erase the stored predictions of a question, those made before an instant, or both; count them."""
        return self._wire.run(_audit_calls.erase(self._wire.settings, question_id, before, reason, timeout_s))

    def experiments(self, *, timeout_s: float | None = None) -> tuple[Experiment, ...]:
        """The experiments on live traffic, in order of name."""
        return self._wire.run(_experiment_calls.experiments(self._wire.settings, timeout_s))

    def experiment(self, name: str, *, timeout_s: float | None = None) -> ExperimentReport:
        """An experiment and what it has shown so far."""
        return self._wire.run(_experiment_calls.experiment(self._wire.settings, name, timeout_s))

    def update_experiment(
        self,
        name: str,
        state: ExperimentState,
        *,
        arm: str = "",
        etag: str = "",
        timeout_s: float | None = None,
    ) -> Experiment:
        """Give all traffic to one arm (PROMOTED), roll back, or let it run again."""
        return self._wire.run(
            _experiment_calls.update_experiment(self._wire.settings, name, state, arm, etag, timeout_s)
        )
