# SPDX-License-Identifier: Apache-2.0
"""The administrator's calls about experiments, as values."""

from consilience._calls import Call
from consilience._settings import Settings
from consilience.experiments import Experiment, ExperimentReport, ExperimentState
from consilience.v1 import admin_service_pb2 as admin

_ADMIN = "/consilience.v1.AdminService/"


def experiments(
    settings: Settings, timeout_s: float | None
) -> Call[admin.ListExperimentsResponse, tuple[Experiment, ...]]:
    """``AdminService.ListExperiments``."""
    return Call(
        _ADMIN + "ListExperiments",
        admin.ListExperimentsRequest(),
        admin.ListExperimentsResponse,
        lambda response: tuple(map(Experiment.from_message, response.experiments)),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def experiment(
    settings: Settings, name: str, timeout_s: float | None
) -> Call[admin.GetExperimentResponse, ExperimentReport]:
    """``AdminService.GetExperiment``."""
    return Call(
        _ADMIN + "GetExperiment",
        admin.GetExperimentRequest(experiment=name),
        admin.GetExperimentResponse,
        ExperimentReport.from_message,
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )


def update_experiment(
    settings: Settings, name: str, state: ExperimentState, arm: str, etag: str, timeout_s: float | None
) -> Call[admin.UpdateExperimentResponse, Experiment]:
    """``AdminService.UpdateExperiment``."""
    named = f"EXPERIMENT_STATE_{ExperimentState(state).name}"
    return Call(
        _ADMIN + "UpdateExperiment",
        admin.UpdateExperimentRequest(experiment=name, state=named, arm=arm, etag=etag),
        admin.UpdateExperimentResponse,
        lambda response: Experiment.from_message(response.experiment),
        settings.rpc_timeout_s(timeout_s),
        settings.call_metadata(),
    )
