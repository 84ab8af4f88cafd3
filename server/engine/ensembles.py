# SPDX-License-Identifier: Apache-2.0
"""The ensembles that a running server has, and their changes at run time."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, replace

from server.engine.advice import Adviser, Experienced
from server.engine.hedging import HedgeAllowance
from server.engine.meaning import Embedder
from server.engine.paid import is_free
from server.engine.probation import RollCall
from server.engine.school import SignalSchool
from server.engine.standing import Standing
from server.engine.worth import Scatter
from server.forecasting.ensemble import EnsembleSpec, MemberSpec
from server.forecasting.errors import ConflictError, InvalidRequestError, NotFoundError
from server.forecasting.ports import Forecaster, PricedForecaster, as_priced
from server.learning.selection import Selection


def etag_of(thing: EnsembleSpec | MemberSpec) -> str:
    """A short fingerprint that changes with every change."""
    return hashlib.blake2b(repr(astuple(thing)).encode(), digest_size=8).hexdigest()


#: Told of a changed specification: before and after. Must neither block nor raise.
SpecListener = Callable[[EnsembleSpec, EnsembleSpec], None]


class Ensemble:
    """One ensemble: its present specification, its forecasters and how they have fared.

    The specification is immutable and replaced whole, so a prediction under way
    keeps the one that it began with.
    """

    def __init__(self, spec: EnsembleSpec, forecasters: Mapping[str, Forecaster]) -> None:
        self._listeners: list[SpecListener] = []
        self._spec = spec
        self.forecasters = dict(forecasters)
        self.hedges = HedgeAllowance(spec.hedge_share)
        self.adviser: Adviser | None = None
        self.experienced: Experienced | None = None
        self.embedder: Embedder | None = None
        self.school: SignalSchool | None = None
        self.scatter = Scatter()
        self.value = Selection()
        self.taught: Counter[str] = Counter()
        self.roll_call = RollCall()
        self.standings = {member.name: Standing() for member in spec.members}
        self._seen: tuple[EnsembleSpec, str, bool] | None = None
        self._priced = _priced(self.forecasters.values())

    def seat(self, name: str, forecaster: Forecaster) -> None:
        """Put a forecaster behind a member's name. One that left stays, for answers under way."""
        self.forecasters = {**self.forecasters, name: forecaster}
        self.standings[name] = Standing()
        self._priced = _priced(self.forecasters.values())
        self._seen = None

    @property
    def is_priced(self) -> bool:
        """Whether any member may cost money."""
        return any(not forecaster.is_free for forecaster in self._priced)

    @property
    def spec(self) -> EnsembleSpec:
        """As it is now."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnsembleSpec) -> None:
        before, self._spec = self._spec, spec
        for listener in self._listeners:
            listener(before, spec)

    def listen(self, listener: SpecListener) -> None:
        """Tell of every change of the specification from now on."""
        self._listeners.append(listener)

    @property
    def version(self) -> str:
        """Changes with everything that can move an answer: the specification, and who is behind each name."""
        return self._known()[1]

    @property
    def costs(self) -> bool:
        """Whether somebody in it asks outside, which costs money or time; what is free needs no cache."""
        return self._known()[2]

    def _known(self) -> tuple[EnsembleSpec, str, bool]:
        if self._seen is None or self._seen[0] is not self.spec:
            costs = not all(map(is_free, self.forecasters.values()))
            self._seen = self.spec, self._fingerprint(), costs
        return self._seen

    def _fingerprint(self) -> str:
        behind = [
            (name, forecaster.identity, getattr(forecaster, "prompt_version", ""))
            for name, forecaster in self.forecasters.items()
        ]
        return hashlib.blake2b(repr((astuple(self.spec), behind)).encode(), digest_size=8).hexdigest()

    def change(self, etag: str, change: Callable[[EnsembleSpec], EnsembleSpec]) -> EnsembleSpec:
        """Replace the specification.

        Raises:
            ConflictError: ``etag`` is given and somebody else changed the ensemble since.
        """
        self._check(etag, etag_of(self.spec), f"ensemble {self.spec.name!r}")
        self.spec = change(self.spec)
        return self.spec

    def change_member(self, name: str, etag: str, **changes: object) -> MemberSpec:
        """Replace one member's specification.

        Raises:
            ConflictError: ``etag`` is given and somebody else changed the member since.
            NotFoundError: there is no such member.
        """
        member = self.spec.member(name)
        self._check(etag, etag_of(member), f"member {name!r}")
        changed = replace(member, **changes)  # type: ignore[arg-type]
        self.spec = self.spec.with_member(changed)
        return changed

    @staticmethod
    def _check(given: str, present: str, what: str) -> None:
        if given and given != present:
            raise ConflictError(f"{what} was changed by somebody else; read it again and repeat the change")


def _priced(forecasters: Iterable[Forecaster]) -> list[PricedForecaster]:
    found = [as_priced(forecaster) for forecaster in forecasters]
    return [forecaster for forecaster in found if forecaster is not None]


class Ensembles:
    """All ensembles by name."""

    def __init__(self, ensembles: Iterable[Ensemble], default: str, default_market: str = "") -> None:
        self._by_name = {ensemble.spec.name: ensemble for ensemble in ensembles}
        self.default = default
        self.default_market = default_market

    def __iter__(self) -> Iterator[Ensemble]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Ensemble:
        """The ensemble of that name; the default one for an empty name.

        Raises:
            NotFoundError: there is none.
        """
        return self._named(name or self.default)

    def market(self, name: str) -> Ensemble:
        """The ensemble of that name; the default market ensemble for an empty name.

        Raises:
            InvalidRequestError: no name was given and none is configured.
            NotFoundError: there is none of that name.
        """
        if not name and not self.default_market:
            raise InvalidRequestError.of(
                "control.ensemble", "no market ensemble is configured; set [market] ensemble"
            )
        return self._named(name or self.default_market)

    def switch_off(self, member: str) -> None:
        """Disable a member in every ensemble that has it."""
        for ensemble in self:
            if any(each.name == member for each in ensemble.spec.members):
                ensemble.change_member(member, "", enabled=False)

    def _named(self, name: str) -> Ensemble:
        found = self._by_name.get(name)
        if found is None:
            raise NotFoundError("ensemble", name, "known: " + ", ".join(sorted(self._by_name)))
        return found
