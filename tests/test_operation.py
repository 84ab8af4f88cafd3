# SPDX-License-Identifier: Apache-2.0
"""A whole server in trouble: dead providers at start, outages, fallbacks, operators and those who watch."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from consilience import AsyncClient
from consilience.v1 import admin_service_pb2 as admin
from consilience.v1 import forecast_pb2, prediction_pb2
from server.engine.happenings import QUEUE
from server.simulator.server import Simulator
from tests.e2e.server_process import COMMAND
from tests.eventually import eventually
from tests.rpc.errors import details
from tests.running import chat, running, settings

MARKET = {"kind": "market"}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as started:
        yield started


def at(simulator: Simulator, path: str = "openai", **more: object) -> dict[str, object]:
    return {
        "base_url": f"{simulator.url}/{path}/v1",
        "flavour": path,
        "breaker": {"consecutive_failures": 1, "open_s": 60},
        "retries": {"max_attempts": 1},
        **more,
    }


def ensemble(*members: str, **more: object) -> dict[str, object]:
    return {"all": {"members": list(members), "deadline_s": 10, "min_responses": 1, **more}}


async def test_connections_are_open_before_the_first_question(simulator: Simulator, tmp_path: Path) -> None:
    parts = {
        "providers": {"sim": at(simulator, warm_kinds=["binary"])},
        "forecasters": {"a": chat("sim-fast")},
    }
    async with running(settings(tmp_path, **parts, ensembles=ensemble("a"))) as server:
        assert len(simulator.service.ledger.entries("sim-fast")) == 1, "the paid warm-up that was asked for"
        assert (await server.ask()).cost.nano_usd > 0


async def test_an_operator_says_that_a_member_has_been_mended(simulator: Simulator, tmp_path: Path) -> None:
    members = {"a": chat("sim-p0.7"), "lost": chat("sim-p0.7-404-first1")}
    chosen = settings(
        tmp_path, providers={"sim": at(simulator)}, forecasters=members, ensembles=ensemble(*members)
    )
    async with running(chosen) as server:
        for number in range(2):
            answer = await server.ask(f"Is it {number}?")
            assert answer.members[1].absent.reason == forecast_pb2.ABSENT_REASON_CALLER_MODEL_UNKNOWN
        await server.admin.UpdateMember(admin.UpdateMemberRequest(member="lost", enabled=True))
        answer = await server.ask("Is it now?")
        assert answer.members[1].forecast.probabilities[0] == pytest.approx(0.7)
    assert len(simulator.service.ledger.entries("sim-p0.7-404-first1")) == 2


async def test_a_dead_provider_does_not_hold_up_the_start(simulator: Simulator, tmp_path: Path) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    providers = {
        "silent": {
            "base_url": f"http://127.0.0.1:{port}/v1",
            "flavour": "openai",
            "timeouts": {"total_s": 1.0},
            "retries": {"max_attempts": 1},
        },
        "refused": {"base_url": "http://127.0.0.1:9/v1", "flavour": "openai"},
        "sim": at(simulator),
    }
    members = {"a": chat("x", "silent"), "b": chat("y", "refused"), "c": chat("sim-p0.7")}
    async with running(settings(tmp_path, providers=providers, forecasters=members, ensembles=ensemble("c"))):
        pass
    async with running(
        settings(tmp_path, providers=providers, forecasters=members, ensembles=ensemble(*members))
    ) as server:
        answer = await server.ask()
        assert [m.member for m in answer.members if m.HasField("forecast")] == ["c"]
    silent.close()
    await silent.wait_closed()


async def test_another_provider_answers_in_a_members_place(simulator: Simulator, tmp_path: Path) -> None:
    providers = {"sim": at(simulator), "other": at(simulator, "xai")}
    members = {
        "gpt": chat("sim-500", fallbacks=["sick-too", "stand-in"]),
        "sick-too": chat("sim-503", "other"),
        "stand-in": chat("sim-p0.7", "other"),
    }
    async with running(
        settings(tmp_path, providers=providers, forecasters=members, ensembles=ensemble("gpt"))
    ) as server:
        first = await server.ask("One?")
        (member,) = first.members
        assert member.forecast.fallback == "stand-in"
        assert member.forecast.probabilities[0] == pytest.approx(0.7)
        assert member.attempts == 3
        assert list(first.warnings) == ["gpt was answered by its fallback stand-in"]
        (second,) = (await server.ask("Two?")).members
        assert second.attempts == 1, "whose circuit is open is not asked"
        bill = simulator.service.ledger.entries("sim-p0.7")
        assert first.cost.nano_usd + second.cost.nano_usd == sum(entry.billed_nano_usd for entry in bill)
        stored = await server.admin.ListMembers(admin.ListMembersRequest())
        assert stored.members[0].circuit == "closed", "somebody can answer for it"
        shown = await server.metrics()
        assert shown['consilience_attempts_total{error_type="",member="gpt",provider="other"}'] == 2


@pytest.mark.parametrize(("fault", "is_mended"), [("context", True), ("400", False), ("refuse", False)])
async def test_a_larger_model_takes_what_is_too_long_for_one(
    simulator: Simulator, tmp_path: Path, fault: str, is_mended: bool
) -> None:
    members = {"small": chat(f"sim-{fault}", fallbacks=["large"]), "large": chat("sim-p0.7")}
    chosen = settings(
        tmp_path,
        providers={"sim": at(simulator)},
        forecasters={**members, "market": chat("sim-p0.5")},
        ensembles=ensemble("small", "market"),
    )
    async with running(chosen) as server:
        (member, _) = (await server.ask()).members
        assert member.forecast.fallback == ("large" if is_mended else "")


async def test_an_outage_from_end_to_end(simulator: Simulator, tmp_path: Path) -> None:
    members = {"a": chat("sim-a"), "b": chat("sim-b"), "market": MARKET}
    breaker = {"consecutive_failures": 1, "open_s": 0.05, "trial_calls": 1, "ramp_s": 0}
    chosen = settings(
        tmp_path,
        providers={"sim": at(simulator, breaker=breaker)},
        forecasters=members,
        ensembles=ensemble(*members),
        degradation={"look_s": 0.01, "dwell_s": 0.05, "trial_s": 0.3, "window_s": 0.5},
    )
    async with running(chosen) as server:
        before = await server.ask("Known?")
        for model in ("sim-a", "sim-b"):
            simulator.service.behave(model, "500")
        modes = server.app.operation.modes

        async def until(mode: "admin.OperatingMode", name: str) -> None:
            async with asyncio.timeout(120):
                while (await server.admin.GetStatus(admin.GetStatusRequest())).mode != mode:
                    await server.ask(f"{name}?")

        await until(admin.OPERATING_MODE_CACHED_ONLY, "unknown")
        status = await server.admin.GetStatus(admin.GetStatusRequest())
        assert "2 of 2 paid members" in status.mode_status.reason
        assert status.mode_status.measured["paid_members"] == 2
        assert not status.mode_status.manual
        async with asyncio.timeout(60):  # between the trials
            while not (known := await server.ask("Known?")).cached:
                pass
        assert known.cache_hit.prediction_id == before.id
        for model in ("sim-a", "sim-b"):
            simulator.service.behave(model, "fast")
        await until(admin.OPERATING_MODE_NORMAL, "again")
        assert modes.status.reason == "everything works"
        assert len((await server.ask("At last?")).members) == 3


async def test_what_happens_is_told_as_it_happens(simulator: Simulator, tmp_path: Path) -> None:
    members = {"a": chat("sim-p0.7"), "sick": chat("sim-500")}
    chosen = settings(
        tmp_path, providers={"sim": at(simulator)}, forecasters=members, ensembles=ensemble(*members)
    )
    async with running(chosen) as server:
        call = server.admin.WatchEvents(admin.WatchEventsRequest())
        assert (await call.read()).kind == "watching"
        answer = await server.ask()
        await server.admin.UpdateMember(admin.UpdateMemberRequest(member="a", weight=2.0))
        await server.admin.SetMode(
            admin.SetModeRequest(mode=admin.OPERATING_MODE_MARKET_ONLY, reason="drill")
        )
        with pytest.raises(grpc.aio.AioRpcError):
            await server.ask("Nobody?")
        told = {}
        async with asyncio.timeout(60):
            while "failure" not in told:
                event = await call.read()
                told[event.kind] = event
        call.cancel()
        assert told["prediction"].prediction.id == answer.id
        assert told["prediction"].figures["cost_usd"] == pytest.approx(answer.cost.nano_usd / 1e9)
        assert told["spend"].subject == "a"
        assert (told["circuit"].subject, told["circuit"].message) == (
            "sim/sim-500",
            "circuit from closed to open",
        )
        assert "circuit of sim-500 is open" in told["alert"].message
        assert told["member"].message == "all: weight from 1.0 to 2.0"
        assert told["mode"].message == "from normal to market_only: drill"
        assert told["failure"].message == "a prediction of 'all' failed: halted"
        await eventually(lambda: not server.app.operation.happenings.watched)


async def test_a_slow_watcher_is_told_how_much_it_missed(simulator: Simulator, tmp_path: Path) -> None:
    async with running(settings(tmp_path, forecasters={"m": MARKET}, ensembles=ensemble("m"))) as server:
        happenings = server.app.operation.happenings
        with happenings.watch() as watcher:
            for number in range(QUEUE + 10):
                happenings.alerted("p", f"number {number}", "")
            first = await anext(watcher)
            assert first.lost == 11
            assert first.message == "number 10"
            assert (await anext(watcher)).lost == 0
        only = server.admin.WatchEvents(admin.WatchEventsRequest(kinds=["mode"]))
        assert (await only.read()).kind == "watching"
        await server.ask()
        await server.admin.SetMode(admin.SetModeRequest(mode=admin.OPERATING_MODE_REDUCED))
        assert (await only.read()).kind == "mode"
        only.cancel()


async def test_a_watcher_does_not_hold_up_the_end(tmp_path: Path) -> None:
    chosen = settings(tmp_path, rpc={"grace_s": 300}, forecasters={"m": MARKET}, ensembles=ensemble("m"))
    async with running(chosen) as server:
        call = server.admin.WatchEvents(admin.WatchEventsRequest())
        await call.read()
        async with asyncio.timeout(60):  # less than the grace for calls under way
            await server.app.rpc.drain()
        assert await call.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (admin.SetModeRequest(mode=77), "mode"),
        (admin.SetModeRequest(reason="x" * 257), "reason"),
        (admin.SetModeRequest(duration=Duration(seconds=-1)), "duration"),
        (admin.WatchEventsRequest(kinds=["weather"]), "kinds[0]"),
    ],
)
async def test_a_violation_names_its_field(request_: object, field: str, tmp_path: Path) -> None:
    async with running(settings(tmp_path, forecasters={"m": MARKET}, ensembles=ensemble("m"))) as server:
        setting = isinstance(request_, admin.SetModeRequest)
        call = server.admin.SetMode(request_) if setting else server.admin.WatchEvents(request_).read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert field in details(caught.value)[0]


async def test_an_operators_mode_ends_by_itself(tmp_path: Path) -> None:
    chosen = settings(
        tmp_path, forecasters={"m": MARKET}, ensembles=ensemble("m"), degradation={"look_s": 0.01}
    )
    async with running(chosen) as server:
        request = admin.SetModeRequest(
            mode=admin.OPERATING_MODE_HALT, reason="drill", duration=Duration(nanos=50_000_000)
        )
        status = (await server.admin.SetMode(request)).status
        assert status.manual
        assert status.HasField("until_time")
        await eventually(lambda: server.app.operation.modes.status.reason == "everything works")
        assert (await server.ask()).decision.action == prediction_pb2.DECISION_ACTION_PROCEED


async def test_the_command_line_and_the_client_say_the_same(tmp_path: Path) -> None:
    async with running(settings(tmp_path, forecasters={"m": MARKET}, ensembles=ensemble("m"))) as server:
        address = server.app.rpc.address

        async def command(*words: str) -> str:
            process = await asyncio.create_subprocess_exec(
                COMMAND, *words, "--server", address, stdout=asyncio.subprocess.PIPE
            )
            out, _ = await process.communicate()
            assert process.returncode == 0
            return out.decode()

        watching = asyncio.create_task(command("events", "--kind", "mode", "--most", "1"))
        await eventually(lambda: server.app.operation.happenings.watched)
        assert await command("mode", "reduced", "--reason", "drill") == "reduced: drill\n"
        assert "from normal to reduced: drill" in await watching
        assert "reduced: drill" in await command("status")
        async with AsyncClient(address) as client, client.admin.watch(["mode"]) as happenings:
            assert (await anext(happenings)).kind == "watching"
            status = await client.admin.set_mode(None)
            assert (status.mode, status.manual) == ("normal", False)
            assert (await anext(happenings)).message == "from reduced to normal: everything works"
