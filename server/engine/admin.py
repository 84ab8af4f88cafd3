# SPDX-License-Identifier: Apache-2.0
"""Run-time control: what the server is, and changes to ensembles and members."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from server.engine.answering import Answering
from server.engine.ensembles import Ensemble, Ensembles, etag_of
from server.engine.gathering import CHOICES
from server.engine.learner import Learner, LearningStatus
from server.engine.predict import PredictionEngine
from server.engine.probation import Seat
from server.engine.standing import Standing
from server.engine.trading import DIRECTIONS
from server.engine.treasury import Restraint
from server.forecasting.ensemble import Choices, EnsembleSpec, MemberSpec
from server.forecasting.money import BudgetStatus
from server.forecasting.names import choose
from server.forecasting.plugged_pooling import check_parameters
from server.forecasting.ports import Identity, as_revivable
from server.forecasting.prediction import Prediction


@dataclass(frozen=True, slots=True)
class EnsembleView:
    """An ensemble as an administrator sees it."""

    spec: EnsembleSpec
    is_default: bool
    etag: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member as an administrator sees it."""

    spec: MemberSpec
    identity: Identity
    standing: Standing
    etag: str
    seat: Seat
    accuracy: float | None
    circuit: str


@dataclass(frozen=True, slots=True)
class Status:
    """What the server is and how it is doing."""

    version: str
    start_time: datetime
    ensembles: tuple[EnsembleView, ...]
    choices: Choices
    in_flight: int
    answered: int
    storage: str
    last: Prediction | None
    budgets: tuple[tuple[BudgetStatus, Restraint], ...] = ()
    learning: LearningStatus | None = None
    answering: Answering | None = None


class Admin:
    """Reads and changes the running ensembles."""

    def __init__(
        self, ensembles: Ensembles, engine: PredictionEngine, version: str, start_time: datetime, storage: str
    ) -> None:
        self._ensembles = ensembles
        self._engine = engine
        self._version = version
        self._start_time = start_time
        self._storage = storage
        self.learner: Learner | None = None
        self.answering: Answering | None = None

    def status(self) -> Status:
        """What the server is and how it is doing."""
        return Status(
            version=self._version,
            start_time=self._start_time,
            ensembles=tuple(self._view(ensemble) for ensemble in self._ensembles),
            choices=CHOICES,
            in_flight=self._engine.in_flight,
            answered=self._engine.answered,
            storage=self._storage,
            last=self._engine.last,
            learning=None if self.learner is None else self.learner.status(),
            budgets=self._engine.budgets,
            answering=self.answering,
        )

    def members(self, ensemble: str) -> list[MemberView]:
        """The members in configured order.

        Raises:
            NotFoundError: there is no such ensemble.
        """
        found = self._ensembles.get(ensemble)
        right = {} if self.learner is None else self.learner.accuracies(found.spec.name)
        views = (_member_view(found, member) for member in found.spec.members)
        return [replace(view, accuracy=right.get(view.spec.name, view.accuracy)) for view in views]

    def undo(self, ensemble: str) -> Callable[[], None]:
        """What gives an ensemble back its present specification.

        Raises:
            NotFoundError: there is no such ensemble.
        """
        found = self._ensembles.get(ensemble)
        before = found.spec

        def put_back() -> None:
            found.spec = before

        return put_back

    def update_member(
        self,
        ensemble: str,
        member: str,
        etag: str,
        changes: Mapping[str, object],
        accuracy: float | None,
        profit_factor: float | None,
    ) -> MemberView:
        """Change a member and note performance that was reported from outside.

        Enabling it, also where it is enabled already, has it try again at once whatever
        keeps it away: refused keys, an unknown model, an open circuit, a bill above its bound.

        Raises:
            NotFoundError: there is no such ensemble or member.
            ConflictError: the etag is given and stale.
        """
        found = self._ensembles.get(ensemble)
        spec = found.change_member(member, etag, **changes)
        if changes.get("enabled"):
            self._forgive(found, member)
        standing = found.standings[member]
        standing.accuracy = standing.accuracy if accuracy is None else accuracy
        standing.profit_factor = standing.profit_factor if profit_factor is None else profit_factor
        return _member_view(found, spec)

    def _forgive(self, ensemble: Ensemble, member: str) -> None:
        """Whoever enables a member says that what was wrong with it has been mended."""
        self._engine.forgive(member)
        revivable = as_revivable(ensemble.forecasters[member])
        if revivable is not None:
            revivable.revive()

    def set_strategy(
        self, ensemble: str, etag: str, names: Mapping[str, str], parameters: dict[str, float]
    ) -> EnsembleView:
        """Change an ensemble's named choices; parameters are those of the pooling.

        Raises:
            NotFoundError: there is no such ensemble.
            ConflictError: the etag is given and stale.
            InvalidRequestError: a name or parameter is not known.
        """
        known = {
            "pooling": CHOICES.poolings,
            "weighting": CHOICES.weightings,
            "calibration": CHOICES.calibrations,
            "execution": CHOICES.executions,
            "selection": CHOICES.selections,
        }
        chosen = {field: choose(field, name, known[field]) for field, name in names.items()}
        found = self._ensembles.get(ensemble)

        def changed(spec: EnsembleSpec) -> EnsembleSpec:
            kept = {} if "pooling" in chosen and chosen["pooling"] != spec.pooling else dict(spec.parameters)
            new = replace(spec, **chosen, parameters=parameters or kept)  # type: ignore[arg-type]
            check_parameters(new.pooling, new.parameters)
            return new

        found.change(etag, changed)
        return self._view(found)

    def _view(self, ensemble: Ensemble) -> EnsembleView:
        spec = ensemble.spec
        return EnsembleView(
            spec=spec,
            is_default=spec.name == self._ensembles.default,
            etag=etag_of(spec),
            outcomes=DIRECTIONS if spec.horizon_updates else (),
        )


def _member_view(ensemble: Ensemble, spec: MemberSpec) -> MemberView:
    return MemberView(
        spec=spec,
        identity=ensemble.forecasters[spec.name].identity,
        standing=ensemble.standings[spec.name],
        etag=etag_of(spec),
        seat=ensemble.roll_call.seat(spec.name),
        accuracy=ensemble.standings[spec.name].accuracy,
        circuit=str(getattr(ensemble.forecasters[spec.name], "circuit", "")),
    )
