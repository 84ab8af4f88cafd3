# SPDX-License-Identifier: Apache-2.0
"""Members that come and go while the server runs."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from server.engine.changes import Change, Changes
from server.engine.disclosure import check_all_judges
from server.engine.ensembles import Ensemble, Ensembles, etag_of
from server.engine.experiments import Experiments
from server.forecasting.ensemble import EnsembleSpec, MemberSpec
from server.forecasting.errors import ConflictError, InvalidRequestError
from server.forecasting.nesting import check_nesting
from server.forecasting.ports import Forecaster

MOST_MEMBERS = 256

#: Makes the forecaster of a name by a definition, JSON; an empty one stands for the configured.
Make = Callable[[str, str], Awaitable[Forecaster]]


class Membership:
    """Adds members and removes them. Predictions under way keep what they began with."""

    def __init__(self, ensembles: Ensembles, make: Make, changes: Changes, experiments: Experiments) -> None:
        self._ensembles = ensembles
        self._make = make
        self._changes = changes
        self._experiments = experiments

    async def add(self, ensemble: str, member: MemberSpec, etag: str, definition: str, actor: str) -> None:
        """Add a member at the end, until the server restarts.

        Raises:
            NotFoundError: there is no such ensemble, or no forecaster of that name is configured.
            ConflictError: the etag is given and stale, or the ensemble has such a member.
            InvalidRequestError: the definition is faulty, would make ensembles contain each other, or
                would let judges read answers of a model that is shown more than they may be.
            RecordError: the audit log cannot be written; nothing has changed.
        """
        found = self._ensembles.get(ensemble)
        _refuse_present(found, member.name)
        forecaster = await self._make(member.name, definition)
        self._check_nesting(found, forecaster)
        self._check_judges(found, forecaster)
        before = found.spec
        change = Change(
            "AddMember",
            f"{found.spec.name}/{member.name}",
            actor,
            {
                "definition": definition,
                "weight": member.weight,
                "timeout_s": member.timeout_s,
                "min_confidence": member.min_confidence,
            },
        )

        def apply() -> None:
            _refuse_present(found, member.name)
            self._check_judges(found, forecaster)  # somebody else may have added one meanwhile
            found.change(etag, lambda spec: replace(spec, members=(*spec.members, member)))
            found.seat(member.name, forecaster)

        await self._changes.make(change, apply, lambda: _put_back(found, before))

    async def remove(self, ensemble: str, name: str, etag: str, actor: str) -> None:
        """Remove a member, until the server restarts where it is configured.

        Raises:
            NotFoundError: there is no such ensemble or member.
            ConflictError: the etag is given and stale.
            InvalidRequestError: the ensemble or an experiment cannot do without it.
            RecordError: the audit log cannot be written; nothing has changed.
        """
        found = self._ensembles.get(ensemble)
        before = found.spec

        def apply() -> None:
            member = found.spec.member(name)
            if etag and etag != etag_of(member):
                raise ConflictError(
                    f"member {name!r} was changed by somebody else; read it again and repeat the change"
                )
            self._refuse_needed(found.spec, name)
            found.change("", lambda spec: _without(spec, name))

        change = Change("RemoveMember", f"{found.spec.name}/{name}", actor)
        await self._changes.make(change, apply, lambda: _put_back(found, before))

    def _refuse_needed(self, spec: EnsembleSpec, name: str) -> None:
        left = len(spec.members) - 1
        if left < max(spec.min_responses or 1, 1):
            raise InvalidRequestError.of("member", f"{spec.name!r} wants at least {left + 1} members")
        for view in self._experiments.views():
            for arm in view.experiment.arms:
                answering = arm.options.ensemble or view.experiment.ensemble
                if answering == spec.name and name in (*arm.options.members, *arm.options.weights):
                    raise InvalidRequestError.of(
                        "member", f"the arm {arm.name!r} of experiment {view.experiment.name!r} asks it"
                    )

    def _check_nesting(self, ensemble: Ensemble, added: Forecaster) -> None:
        if added.identity.kind == "verified":
            raise InvalidRequestError.of(
                "member", "a verified ensemble becomes a member by configuration only"
            )
        inner = {one.spec.name: list(_inner(one)) for one in self._ensembles}
        if added.identity.kind == "ensemble":
            inner[ensemble.spec.name].append(added.identity.model)
        try:
            check_nesting(inner)
        except ValueError as error:
            raise InvalidRequestError.of("definition", str(error)) from error

    def _check_judges(self, ensemble: Ensemble, added: Forecaster) -> None:
        try:
            check_all_judges(self._ensembles, ensemble, added)
        except ValueError as error:
            raise InvalidRequestError.of("member", str(error)) from error


def _inner(ensemble: Ensemble) -> Iterator[str]:
    for member in ensemble.spec.members:
        identity = ensemble.forecasters[member.name].identity
        if identity.kind == "ensemble":
            yield identity.model


def _refuse_present(ensemble: Ensemble, name: str) -> None:
    if any(member.name == name for member in ensemble.spec.members):
        raise ConflictError(f"ensemble {ensemble.spec.name!r} has a member {name!r}; UpdateMember changes it")
    if len(ensemble.spec.members) >= MOST_MEMBERS:
        raise InvalidRequestError.of("member", f"an ensemble has at most {MOST_MEMBERS} members")


def _without(spec: EnsembleSpec, name: str) -> EnsembleSpec:
    return replace(spec, members=tuple(member for member in spec.members if member.name != name))


def _put_back(ensemble: Ensemble, spec: EnsembleSpec) -> None:
    ensemble.spec = spec
