# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from server.forecasting.forecast import Absent, AbsentReason, Forecast
from server.forecasting.query import Query
from server.llm.failures import Failure
from server.llm.keys import REREAD_S, Key, KeyRing
from server.simulator.server import Simulator
from server.simulator.service import fingerprint
from server.simulator.settings import SimulatorSettings
from tests.llm.clock import ManualClock
from tests.llm.conftest import QUERY, Bench, deadline

AUTH = Failure(AbsentReason.PROVIDER_AUTH_FAILED, status=401)
BILLING = Failure(AbsentReason.PROVIDER_BILLING, status=429)
FORBIDDEN = Failure(AbsentReason.PROVIDER_AUTH_FAILED, status=403)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> KeyRing:
    for name in "ABC":
        monkeypatch.setenv(f"KEY_{name}", f"sk-{name}")
    return KeyRing(["env:KEY_A", "env:KEY_B", "env:KEY_C"], ManualClock())


def pick(ring: KeyRing, tried: set[str] | None = None, model: str = "m") -> Key | Failure:
    return ring.pick(model, tried or set(), lambda key: (0.0, 0))


def revealed(key: Key | Failure) -> str:
    assert isinstance(key, Key)
    return key.secret.reveal()


def test_keys_take_turns(ring: KeyRing) -> None:
    assert {revealed(pick(ring)) for _ in range(3)} == {"sk-A", "sk-B", "sk-C"}


def test_the_shortest_wait_wins(ring: KeyRing) -> None:
    waits = {"sk-A": 3.0, "sk-B": 1.0, "sk-C": 2.0}
    key = ring.pick("m", set(), lambda key: (waits[key.secret.reveal()], 0))
    assert revealed(key) == "sk-B"


def test_a_tried_key_is_not_picked_again(ring: KeyRing) -> None:
    labels = {key.label for key in ring.keys[:2]}
    assert revealed(pick(ring, labels)) == "sk-C"
    none = pick(ring, {key.label for key in ring.keys})
    assert isinstance(none, Failure)


def test_a_dead_key_rests_then_is_tried_again(ring: KeyRing) -> None:
    for key in ring.keys:
        ring.block(key, "m", BILLING)
    none = pick(ring)
    assert isinstance(none, Failure)
    assert none.reason is AbsentReason.PROVIDER_BILLING
    clock = ring._clock
    assert isinstance(clock, ManualClock)
    clock.go(3601)
    assert isinstance(pick(ring), Key)


def test_forbidden_is_about_one_model(ring: KeyRing) -> None:
    for key in ring.keys:
        ring.block(key, "m", FORBIDDEN)
    assert isinstance(pick(ring), Failure)
    assert isinstance(pick(ring, model="other"), Key)


def test_an_operator_may_revive_them(ring: KeyRing) -> None:
    for key in ring.keys:
        ring.block(key, "m", AUTH)
        ring.block(key, "m", FORBIDDEN)
    ring.revive()
    assert isinstance(pick(ring), Key)


def test_a_missing_key_is_named_and_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    ring = KeyRing(["env:NO_SUCH_KEY"], ManualClock())
    assert ring.problems == ["env:NO_SUCH_KEY: environment variable NO_SUCH_KEY is not set"]
    none = pick(ring)
    assert isinstance(none, Failure)
    assert (none.reason, none.detail) == (AbsentReason.PROVIDER_AUTH_FAILED, ring.problems[0])


def test_without_references_there_is_one_empty_key() -> None:
    assert revealed(pick(KeyRing([], ManualClock()))) == ""


def test_a_rotated_file_gives_a_new_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-old\n")
    ring = KeyRing([f"file:{file}"], ManualClock())
    old = ring.keys[0]
    assert not ring.reload()
    assert ring.keys[0] is old
    file.write_text("sk-new\n")
    assert ring.reload()
    assert revealed(pick(ring)) == "sk-new"


def test_a_new_key_is_found_while_the_old_one_rests(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-old")
    clock = ManualClock()
    ring = KeyRing([f"file:{file}"], clock)
    ring.block(ring.keys[0], "m", BILLING)
    file.write_text("sk-new")
    assert isinstance(pick(ring), Failure), "it was read a moment ago"
    clock.go(REREAD_S)
    assert revealed(pick(ring)) == "sk-new"


def test_a_key_that_was_not_there_is_found_once_it_is(tmp_path: Path) -> None:
    file = tmp_path / "key"
    clock = ManualClock()
    ring = KeyRing([f"file:{file}"], clock)
    assert isinstance(pick(ring), Failure)
    file.write_text("sk-late")
    clock.go(REREAD_S)
    assert revealed(pick(ring)) == "sk-late"
    assert ring.problems == []


@pytest.fixture
async def guarded(bench: Bench) -> Bench:
    """A simulator that accepts only sk-good."""
    simulator = await bench.stack.enter_async_context(Simulator(SimulatorSettings(keys=("sk-good",))))
    return Bench(simulator, bench.notes, bench.stack)


async def test_another_key_is_tried_after_a_refused_one(
    guarded: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAD", "sk-bad")
    monkeypatch.setenv("GOOD", "sk-good")
    room = guarded.models({"keys": ["env:BAD", "env:GOOD"]}, m={"model": "sim-fast"})
    answers = [await room.forecasters["m"].forecast(QUERY, deadline()) for _ in range(4)]
    assert all(isinstance(answer, Forecast) for answer in answers)
    assert [entry.status for entry in guarded.entries()].count(401) == 1
    assert len(guarded.notes.alerts) == 1


async def test_all_keys_refused(guarded: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAD", "sk-bad")
    room = guarded.models({"key": "env:BAD"}, m={"model": "sim-fast"})
    for attempts in (1, 0):
        answer = await room.forecasters["m"].forecast(QUERY, deadline())
        assert isinstance(answer, Absent)
        assert (answer.reason, answer.attempts) == (AbsentReason.PROVIDER_AUTH_FAILED, attempts)


async def test_a_rotated_secret_is_read_again_after_a_refusal(guarded: Bench, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sk-bad")
    room = guarded.models({"key": f"file:{file}"}, m={"model": "sim-fast"})
    file.write_text("sk-good")
    answer = await room.forecasters["m"].forecast(QUERY, deadline())
    assert isinstance(answer, Forecast)
    assert answer.attempts == 2
    assert guarded.notes.alerts == []


async def test_a_callers_own_key_is_used_and_never_kept(
    guarded: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAD", "sk-bad")
    room = guarded.models({"key": "env:BAD"}, m={"model": "sim-fast"})
    query = Query(QUERY.question, keys={"sim": "sk-good"})
    assert isinstance(await room.forecasters["m"].forecast(query, deadline()), Forecast)
    assert [entry.key for entry in guarded.entries()] == [fingerprint("sk-good")]
    assert "sk-good" not in repr(vars(room.providers["sim"])) + repr(query)


async def test_a_callers_bad_key_does_not_fall_back_on_ours(
    guarded: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOD", "sk-good")
    room = guarded.models({"key": "env:GOOD"}, m={"model": "sim-fast"})
    query = Query(QUERY.question, keys={"sim": "sk-wrong"})
    answer = await room.forecasters["m"].forecast(query, deadline())
    assert isinstance(answer, Absent)
    assert answer.reason is AbsentReason.PROVIDER_AUTH_FAILED
    assert {entry.key for entry in guarded.entries()} == {fingerprint("sk-wrong")}
    assert isinstance(await room.forecasters["m"].forecast(QUERY, deadline()), Forecast)


async def test_rate_limited_key_gives_way_to_another(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "sk-a")
    monkeypatch.setenv("B", "sk-b")
    room = bench.models({"keys": ["env:A", "env:B"]}, m={"model": "sim-429-first1-wait60000ms"})
    answers = [await room.forecasters["m"].forecast(QUERY, deadline()) for _ in range(3)]
    assert [answer.attempts for answer in answers] == [2, 1, 1]
    limited, *rest = [entry.key for entry in bench.entries()]
    assert limited not in rest


async def test_who_enables_a_member_has_everything_tried_again(guarded: Bench, tmp_path: Path) -> None:
    """As an operator does after mending an account: keys, model and circuit."""
    file = tmp_path / "key"
    file.write_text("sk-bad")
    room = guarded.models({"key": f"file:{file}"}, m={"model": "sim-fast"})
    member = room.forecasters["m"]
    assert isinstance(await member.forecast(QUERY, deadline()), Absent)
    endpoint = room.providers["sim"].endpoints["sim-fast"]
    endpoint.unknown_until_s = float("inf")
    for _ in range(5):
        endpoint.breaker.record(endpoint.breaker.admit() or 0, ok=False, seconds=0.1)
    assert member.circuit == "open"
    file.write_text("sk-good")
    member.revive()
    assert member.circuit == "half_open"
    assert isinstance(await member.forecast(QUERY, deadline()), Forecast)


async def test_a_callers_key_that_lacks_a_model_keeps_nobody_else_from_it(bench: Bench) -> None:
    room = bench.models(m={"model": "sim-404-first1"})
    member = room.forecasters["m"]
    own = Query(QUERY.question, keys={"sim": "sk-of-a-caller"})
    poor = await member.forecast(own, deadline())
    assert isinstance(poor, Absent)
    assert poor.reason is AbsentReason.CALLER_MODEL_UNKNOWN
    assert isinstance(await member.forecast(QUERY, deadline()), Forecast)
    assert bench.notes.alerts == [], "it is the caller's business"


async def test_a_key_with_a_free_place_comes_before_a_busy_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call at a time for each key, and two keys have one under way."""
    for name in "ABC":
        monkeypatch.setenv(f"KEY_{name}", f"sk-{name}")
    settings = {"keys": ["env:KEY_A", "env:KEY_B", "env:KEY_C"], "limits": {"concurrency": 1}}
    room = bench.models(settings, slow={"model": "sim-m"}, m={"model": "sim-m"})
    endpoint, ring = room.providers["sim"].endpoint("sim-m"), room.providers["sim"].keys
    for key in (ring.keys[0], ring.keys[2]):
        assert endpoint.limiter(key).try_enter(1) is not None
    for _ in range(4):
        assert isinstance(await room.forecasters["m"].forecast(QUERY, deadline()), Forecast)
    assert {entry.key for entry in bench.entries()} == {fingerprint("sk-B")}
