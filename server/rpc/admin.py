# SPDX-License-Identifier: Apache-2.0
"""``AdminService``: status, members, strategies and records at run time."""

import base64
from datetime import datetime

from consilience.v1 import admin_service_pb2 as pb
from consilience.v1 import prediction_pb2
from server.engine.admin import Admin, EnsembleView, MemberView
from server.engine.changes import Change, Changes
from server.engine.learner import LearningStatus
from server.forecasting.ports import PredictionStore
from server.rpc.budget_out import budget_message
from server.rpc.call import Call
from server.rpc.operation import cache_message, mode_message
from server.rpc.prediction_out import prediction_message
from server.rpc.rules import EPOCH, Rules
from server.rpc.times import duration, timestamp

MAX_NAME = 128


class AdminHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, admin: Admin, store: PredictionStore, changes: Changes) -> None:
        self._admin = admin
        self._store = store
        self._changes = changes

    async def get_status(self, request: pb.GetStatusRequest, call: Call) -> pb.GetStatusResponse:
        """What the server is and how it is doing."""
        del request, call
        status = self._admin.status()
        answering = status.answering
        modes, cache = (None, None) if answering is None else (answering.modes, answering.cache)
        mode = None if modes is None else mode_message(modes.status)
        return pb.GetStatusResponse(
            version=status.version,
            start_time=timestamp(status.start_time),
            ensembles=[_ensemble(view) for view in status.ensembles],
            mode=pb.OPERATING_MODE_NORMAL if mode is None else mode.mode,
            mode_status=mode,
            cache=None if cache is None else cache_message(cache),
            poolings=status.choices.poolings,
            executions=status.choices.executions,
            selections=status.choices.selections,
            calibrations=status.choices.calibrations,
            weightings=status.choices.weightings,
            predictions_in_flight=status.in_flight,
            predictions_answered=status.answered,
            storage=status.storage,
            learning=_learning(status.learning),
            budgets=[budget_message(*budget) for budget in status.budgets],
            last_prediction=None if status.last is None else prediction_message(status.last),
        )

    async def list_members(self, request: pb.ListMembersRequest, call: Call) -> pb.ListMembersResponse:
        """The members of an ensemble, in configured order; the token is a position."""
        del call
        rules = Rules()
        rules.text("ensemble", request.ensemble, MAX_NAME, printable=True)
        size = rules.page_size(request.page_size, 1_000, 100)
        start = int(request.page_token) if request.page_token.isdecimal() else 0
        if request.page_token and not request.page_token.isdecimal():
            rules.broken("page_token", "use the token of the previous page as it was given")
        rules.check()
        views = self._admin.members(request.ensemble)
        following = str(start + size) if start + size < len(views) else ""
        return pb.ListMembersResponse(
            members=[member_message(view) for view in views[start : start + size]], next_page_token=following
        )

    async def update_member(self, request: pb.UpdateMemberRequest, call: Call) -> pb.UpdateMemberResponse:
        """Change a member; predictions under way keep what they began with."""
        rules = Rules()
        rules.text("ensemble", request.ensemble, MAX_NAME, printable=True)
        rules.text("member", request.member, MAX_NAME, least=1, printable=True)
        changes: dict[str, object] = {}
        if request.HasField("enabled"):
            changes["enabled"] = request.enabled
        if request.HasField("weight"):
            changes["weight"] = rules.weight("weight", request.weight)
        if request.HasField("timeout"):
            changes["timeout_s"] = rules.seconds("timeout", request.timeout, 300.0)
        if request.HasField("min_confidence"):
            changes["min_confidence"] = rules.share("min_confidence", request.min_confidence)
        accuracy = rules.share("accuracy", request.accuracy) if request.HasField("accuracy") else None
        profit = (
            rules.amount("profit_factor", request.profit_factor)
            if request.HasField("profit_factor")
            else None
        )
        rules.check()
        asked = {**changes, "accuracy": accuracy, "profit_factor": profit}
        view = await self._changes.make(
            Change("UpdateMember", _path(request.ensemble, request.member), call.caller, asked),
            lambda: self._admin.update_member(
                request.ensemble, request.member, request.etag, changes, accuracy, profit
            ),
            self._admin.undo(request.ensemble),
        )
        return pb.UpdateMemberResponse(member=member_message(view))

    async def set_strategy(self, request: pb.SetStrategyRequest, call: Call) -> pb.SetStrategyResponse:
        """Change an ensemble's named choices."""
        rules = Rules()
        for name in ("ensemble", "pooling", "weighting", "calibration", "execution", "selection"):
            rules.text(name, getattr(request, name), MAX_NAME, printable=True)
        rules.check()
        names = ("pooling", "weighting", "calibration", "execution", "selection")
        wishes = {name: getattr(request, name) for name in names if getattr(request, name)}
        parameters = dict(request.parameters)
        view = await self._changes.make(
            Change("SetStrategy", request.ensemble, call.caller, {**wishes, "parameters": parameters}),
            lambda: self._admin.set_strategy(request.ensemble, request.etag, wishes, parameters),
            self._admin.undo(request.ensemble),
        )
        return pb.SetStrategyResponse(ensemble=_ensemble(view))

    async def list_predictions(
        self, request: pb.ListPredictionsRequest, call: Call
    ) -> pb.ListPredictionsResponse:
        """Stored predictions, newest first."""
        del call
        rules = Rules()
        size = rules.page_size(request.page_size, 1_000, 50)
        before = _decoded(request.page_token, rules)
        start = rules.instant("start_time", request.start_time) if request.HasField("start_time") else None
        end = rules.instant("end_time", request.end_time) if request.HasField("end_time") else None
        rules.text("question_id", request.question_id, 256, printable=True)
        rules.check()
        records = await self._store.list(
            limit=size + 1, before=before, question_id=request.question_id, start=start, end=end
        )
        page = [record.prediction for record in records[:size]]
        token = _encoded(page[-1].create_time, page[-1].id) if len(records) > size else ""
        return pb.ListPredictionsResponse(
            predictions=[prediction_message(p) for p in page], next_page_token=token
        )


def _learning(status: LearningStatus | None) -> pb.LearningStatus | None:
    if status is None:
        return None
    return pb.LearningStatus(
        version=status.version,
        answers=status.answers,
        outcomes=status.outcomes,
        belief=status.belief,
        ready=status.ready,
    )


def _path(ensemble: str, member: str) -> str:
    return f"{ensemble or '(default)'}/{member}"


def _ensemble(view: EnsembleView) -> pb.EnsembleStatus:
    spec = view.spec
    return pb.EnsembleStatus(
        name=spec.name,
        is_default=view.is_default,
        method=prediction_pb2.Method(
            pooling=spec.pooling,
            weighting=spec.weighting,
            calibration=spec.calibration,
            execution=spec.execution,
            selection=spec.selection,
            parameters=spec.parameters,
        ),
        member_count=len(spec.members),
        enabled_count=sum(member.enabled for member in spec.members),
        etag=view.etag,
        outcomes=view.outcomes,
    )


def member_message(view: MemberView) -> pb.Member:
    """A member for the wire."""
    spec, standing = view.spec, view.standing
    latency_s = standing.mean_latency_s
    return pb.Member(
        name=spec.name,
        kind=view.identity.kind,
        provider=view.identity.provider,
        model=view.identity.model,
        enabled=spec.enabled,
        weight=spec.weight,
        timeout=None if spec.timeout_s is None else duration(spec.timeout_s),
        min_confidence=spec.min_confidence,
        accuracy=view.accuracy,
        mean_cost_nano_usd=standing.mean_cost_nano_usd,
        mean_latency=None if latency_s is None else duration(latency_s),
        answers=standing.answers,
        absences=standing.absences,
        etag=view.etag,
        selection_state=view.seat.state.value,
        selection_reason=view.seat.reason,
        circuit=view.circuit,
        profit_factor=standing.profit_factor,
    )


def _encoded(instant: datetime, prediction_id: str) -> str:
    microseconds = (instant - EPOCH) // (EPOCH.resolution)
    return base64.urlsafe_b64encode(f"{microseconds} {prediction_id}".encode()).decode()


def _decoded(token: str, rules: Rules) -> tuple[datetime, str] | None:
    if not token:
        return None
    try:
        microseconds, prediction_id = (
            base64.b64decode(token, altchars=b"-_", validate=True).decode().split(" ")
        )
        return EPOCH + int(microseconds) * EPOCH.resolution, prediction_id
    except (ValueError, OverflowError):
        rules.broken("page_token", "use the token of the previous page as it was given")
        return None
