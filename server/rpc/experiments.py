# SPDX-License-Identifier: Apache-2.0
"""``AdminService``: experiments on live traffic."""

from consilience.v1 import admin_service_pb2 as pb
from consilience.v1 import prediction_pb2
from server.engine.experiment_report import ArmReport
from server.engine.experiments import Experiments, ExperimentView
from server.forecasting.experiment import Arm, Standing, State
from server.rpc.call import Call
from server.rpc.rules import Rules

MAX_NAME = 128
_STATES = {state: getattr(pb, f"EXPERIMENT_STATE_{state.name}") for state in State}
_NAMED = {number: state for state, number in _STATES.items()}


class ExperimentHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, experiments: Experiments) -> None:
        self._experiments = experiments

    async def list_experiments(
        self, request: pb.ListExperimentsRequest, call: Call
    ) -> pb.ListExperimentsResponse:
        """All experiments, in order of name."""
        del request, call
        return pb.ListExperimentsResponse(experiments=[_message(view) for view in self._experiments.views()])

    async def get_experiment(self, request: pb.GetExperimentRequest, call: Call) -> pb.GetExperimentResponse:
        """One experiment and what it has shown so far."""
        del call
        rules = Rules()
        name = rules.text("experiment", request.experiment, MAX_NAME, least=1, printable=True)
        rules.check()
        view, reports = await self._experiments.report(name)
        return pb.GetExperimentResponse(
            experiment=_message(view), reports=[_report(one) for one in reports], level=view.experiment.level
        )

    async def update_experiment(
        self, request: pb.UpdateExperimentRequest, call: Call
    ) -> pb.UpdateExperimentResponse:
        """Promote an arm, roll back, or run again."""
        rules = Rules()
        name = rules.text("experiment", request.experiment, MAX_NAME, least=1, printable=True)
        rules.text("arm", request.arm, MAX_NAME, printable=True)
        state = _NAMED.get(request.state)
        if state is None:
            rules.broken("state", "must be RUNNING, PROMOTED or ROLLED_BACK")
        rules.check()
        standing = Standing(state or State.RUNNING, request.arm)
        view = await self._experiments.update(name, request.etag, standing, call.caller)
        return pb.UpdateExperimentResponse(experiment=_message(view))


def _message(view: ExperimentView) -> pb.Experiment:
    experiment = view.experiment
    return pb.Experiment(
        name=experiment.name,
        ensemble=experiment.ensemble,
        unit=experiment.unit.value,
        arms=[_arm(arm) for arm in experiment.arms],
        state=_STATES[view.standing.state],
        promoted=view.standing.arm,
        etag=view.etag,
    )


def _arm(arm: Arm) -> pb.ExperimentArm:
    options = arm.options
    return pb.ExperimentArm(
        name=arm.name,
        share=arm.share,
        options=prediction_pb2.PredictOptions(
            ensemble=options.ensemble,
            members=options.members,
            pooling=options.pooling,
            execution=options.execution,
            selection=options.selection,
            calibration=options.calibration,
            weighting=options.weighting,
            weights=options.weights,
        ),
    )


def _report(report: ArmReport) -> pb.ArmReport:
    return pb.ArmReport(
        arm=report.arm,
        predictions=report.predictions,
        resolved=report.resolved,
        brier=report.brier,
        difference=report.difference,
        low=report.low,
        high=report.high,
        finding=report.finding,
    )
