# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from server.engine.changes import Changes
from server.engine.ensembles import Ensembles, etag_of
from server.engine.experiments import Experiments
from server.engine.membership import Membership
from server.engine.nested import EnsembleForecaster
from server.engine.request import PredictionRequest
from server.engine.verified import VerifiedForecaster
from server.forecasting.ensemble import MemberSpec, Options
from server.forecasting.errors import ConflictError, InvalidRequestError, NotFoundError, RecordError
from server.forecasting.experiment import Arm, Experiment, Unit
from server.forecasting.judging import Shown
from server.forecasting.ports import Forecaster
from server.forecasting.question import Question
from tests.engine.conftest import engine_of, ensemble_of
from tests.engine.test_experiments import Decisions
from tests.fakes import Fake, yes


@dataclass
class Log:
    """An audit log in memory; ``broken`` makes it fail."""

    noted: list[tuple[str, str, str, dict[str, object]]] = field(default_factory=list)
    broken: bool = False

    async def note(self, kind: str, subject: str, actor: str, content: Mapping[str, object]) -> None:
        if self.broken:
            raise RecordError("the disk is full")
        self.noted.append((kind, subject, actor, dict(content)))


class House:
    """Two ensembles, one inside the other's reach, and an experiment that asks "a"."""

    def __init__(self) -> None:
        self.log = Log()
        self.one, self.two = (
            ensemble_of({"a": yes(0.9), "b": yes(0.7)}, "one"),
            ensemble_of({"x": yes(0.5)}, "two"),
        )
        self.ensembles = Ensembles([self.one, self.two], "one")
        arms = (Arm("control", 0.5), Arm("alone", 0.5, Options(members=("a",))))
        experiments = Experiments([Experiment("e", "one", Unit.QUESTION, arms)], "one", Decisions())
        self.membership = Membership(self.ensembles, self.make, Changes(self.log), experiments)

    async def make(self, name: str, definition: str) -> Forecaster:
        if name.startswith("ensemble-"):
            return EnsembleForecaster(name.removeprefix("ensemble-"), self.ensembles.get)
        return yes(0.2)


async def test_a_new_member_is_asked_and_logged() -> None:
    house = House()
    await house.membership.add("", MemberSpec("c", weight=2.0), etag_of(house.one.spec), "{}", "alice")
    prediction = await engine_of(house.one).predict(PredictionRequest(Question("q", "Will it rain?")))
    assert [member.member for member in prediction.members] == ["a", "b", "c"]
    assert prediction.members[2].raw_weight == 2.0
    ((kind, subject, actor, content),) = house.log.noted
    assert (kind, subject, actor) == ("AddMember", "one/c", "alice")
    assert (content["definition"], content["weight"]) == ("{}", 2.0)


async def test_a_member_leaves_and_may_come_back() -> None:
    house = House()
    member = house.one.spec.member("b")
    await house.membership.remove("one", "b", etag_of(member), "alice")
    assert [member.name for member in house.one.spec.members] == ["a"]
    await house.membership.add("one", MemberSpec("b"), "", "", "bob")
    assert [entry[:3] for entry in house.log.noted] == [
        ("RemoveMember", "one/b", "alice"),
        ("AddMember", "one/b", "bob"),
    ]


async def test_stale_etags_and_doubles_are_refused() -> None:
    house = House()
    etag = etag_of(house.one.spec)
    await house.membership.add("one", MemberSpec("c"), etag, "", "")
    with pytest.raises(ConflictError, match="changed by somebody else"):
        await house.membership.add("one", MemberSpec("d"), etag, "", "")
    with pytest.raises(ConflictError, match="has a member 'c'"):
        await house.membership.add("one", MemberSpec("c"), "", "", "")
    with pytest.raises(ConflictError, match="changed by somebody else"):
        await house.membership.remove("one", "c", "stale", "")
    with pytest.raises(NotFoundError):
        await house.membership.remove("one", "nobody", "", "")


async def test_nobody_leaves_who_is_needed() -> None:
    house = House()
    with pytest.raises(InvalidRequestError, match="the arm 'alone' of experiment 'e' asks it"):
        await house.membership.remove("one", "a", "", "")
    with pytest.raises(InvalidRequestError, match="at least 1 members"):
        await house.membership.remove("two", "x", "", "")


async def test_ensembles_cannot_come_to_contain_themselves() -> None:
    house = House()
    await house.membership.add("one", MemberSpec("ensemble-two"), "", "", "")
    with pytest.raises(InvalidRequestError, match="contains itself"):
        await house.membership.add("two", MemberSpec("ensemble-one"), "", "", "")


class Showing(Fake):
    """A model at a provider that is shown these fields."""

    def __init__(self, provider: str, *fields: str) -> None:
        super().__init__()
        self._shown = {provider: frozenset(fields)}

    @property
    def shown(self) -> Shown:
        return self._shown


async def test_judges_are_never_given_more_to_read_than_they_may_be_shown() -> None:
    """Wherever the model comes in: where the answers are given, below it, or among the judges."""
    far, home = Showing("far", "question"), Showing("home", "question", "caller")
    inner, judges = ensemble_of({"a": far}, "inner"), ensemble_of({"j": far}, "judges")
    first = ensemble_of({"deep": EnsembleForecaster("inner", lambda _: inner)}, "first")
    verified = VerifiedForecaster("first", "judges", lambda _: first)
    ensembles = Ensembles([ensemble_of({"checked": verified}, "outer"), first, inner, judges], "outer")
    log = Log()

    async def make(name: str, definition: str) -> Forecaster:
        return far if definition else home

    membership = Membership(ensembles, make, Changes(log), Experiments([], "outer", Decisions()))
    for place in ("first", "inner"):
        with pytest.raises(
            InvalidRequestError,
            match=r"checked\.judge: provider 'far' may not be shown caller, which provider 'home' is shown",
        ):
            await membership.add(place, MemberSpec("new"), "", "", "")
    assert not log.noted
    await membership.add("judges", MemberSpec("new"), "", "", "")
    await membership.add("first", MemberSpec("like the others"), "", "{}", "")
    await membership.remove("judges", "j", "", "")
    await membership.add("inner", MemberSpec("new"), "", "", "")
    with pytest.raises(InvalidRequestError, match="provider 'far' may not be shown caller"):
        await membership.add("judges", MemberSpec("j again"), "", "{}", "")


async def test_what_cannot_be_logged_does_not_happen() -> None:
    house = House()
    house.log.broken = True
    before = house.one.spec
    for change in (
        house.membership.add("one", MemberSpec("c"), "", "", ""),
        house.membership.remove("one", "b", "", ""),
    ):
        with pytest.raises(RecordError):
            await change
    assert house.one.spec is before
