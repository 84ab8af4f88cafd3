# SPDX-License-Identifier: Apache-2.0
"""The real endpoint after real predictions at a provider over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from consilience.v1 import admin_service_pb2 as admin
from server.simulator.server import Simulator
from tests.running import Running, chat, running, settings


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as started:
        yield started


def parts(simulator: Simulator) -> dict[str, object]:
    return {
        "providers": {
            "sim": {
                "base_url": f"{simulator.url}/openai/v1",
                "flavour": "openai",
                "breaker": {"consecutive_failures": 2, "open_s": 60},
                "retries": {"max_attempts": 1},
            },
        },
        "forecasters": {
            "well": chat("sim-p0.7"),
            "streamed": chat("sim-p0.6", stream=True),
            "sick": chat("sim-500"),
            "market": {"kind": "market"},
        },
        "ensembles": {"all": {"members": ["well", "streamed", "sick", "market"], "deadline_s": 10}},
    }


async def test_what_happened_is_what_is_shown(simulator: Simulator, tmp_path: Path) -> None:
    async with running(settings(tmp_path, **parts(simulator), cache={"max_age_s": 60})) as server:
        first = await server.ask("One?", durability="DURABILITY_DURABLE")
        second = await server.ask("One?")
        third = await server.ask("Two?")
        assert [p.cached for p in (first, second, third)] == [False, True, False]
        await fourth_fails_fast(server)
        shown = await server.metrics()
        bill = simulator.service.ledger.report()
    call = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model='
    assert shown['consilience_attempts_total{error_type="",member="well",provider="sim"}'] == 3
    assert (
        shown['consilience_attempts_total{error_type="provider_server_error",member="sick",provider="sim"}']
        == 2
    )
    duration = "gen_ai_client_operation_duration_seconds_count"
    assert shown[f'{duration}{{error_type="",{call}"sim-p0.7"}}'] == 3
    assert shown[f'{duration}{{error_type="provider_server_error",{call}"sim-500"}}'] == 2
    assert shown[f'gen_ai_client_operation_time_to_first_chunk_seconds_count{{{call}"sim-p0.6"}}'] == 3
    tokens = f'gen_ai_client_token_usage_sum{{{call}"sim-p0.7",gen_ai_token_type='
    assert shown[f'{tokens}"input"}}'] > 0
    assert shown[f'{tokens}"output"}}'] > 0
    assert shown['consilience_circuit_state{model="sim-500",provider="sim"}'] == 3
    assert shown['consilience_circuit_state{model="sim-p0.7",provider="sim"}'] == 0
    assert shown['consilience_circuit_changes_total{model="sim-500",provider="sim",state="open"}'] == 1
    assert shown['consilience_alerts_total{provider="sim"}'] == 1
    prefix = "consilience_attempt_cost_usd_total{"
    spent = sum(value for name, value in shown.items() if name.startswith(prefix))
    assert spent == pytest.approx(bill["billed_nano_usd"] / 1e9)
    assert shown['consilience_cache_lookups_total{result="exact"}'] == 1
    assert shown['consilience_cache_lookups_total{result="miss"}'] == 3
    assert shown["consilience_cache_saved_usd_total"] == pytest.approx(first.cost.nano_usd / 1e9)
    assert shown['consilience_member_answers_total{ensemble="all",member="well"}'] == 3, "a hit is no answer"
    answered = [value for name, value in shown.items() if name.startswith("consilience_predictions_total{")]
    assert sum(answered) == 4
    assert shown['consilience_mode{mode="normal"}'] == 1


async def fourth_fails_fast(server: Running) -> None:
    """By now the sick member's circuit is open, and everybody can see it."""
    answer = await server.ask("Three?")
    by_name = {member.member: member for member in answer.members}
    assert by_name["sick"].absent.detail
    members = await server.admin.ListMembers(admin.ListMembersRequest())
    assert {m.name: m.circuit for m in members.members} == {
        "well": "closed",
        "streamed": "closed",
        "sick": "open",
        "market": "",
    }


async def test_a_mode_is_shown_while_it_lasts(simulator: Simulator, tmp_path: Path) -> None:
    async with running(settings(tmp_path, **parts(simulator))) as server:
        await server.admin.SetMode(admin.SetModeRequest(mode=admin.OPERATING_MODE_HALT, reason="drill"))
        with pytest.raises(grpc.aio.AioRpcError, match="drill") as caught:
            await server.ask()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        shown = await server.metrics()
        assert shown['consilience_mode{mode="halt"}'] == 1
        assert shown['consilience_mode_changes_total{cause="operator",mode="halt"}'] == 1
        assert shown['consilience_prediction_failures_total{ensemble="all",error_type="halted"}'] == 1
        await server.admin.SetMode(admin.SetModeRequest())
        assert (await server.metrics())['consilience_mode{mode="normal"}'] == 1
