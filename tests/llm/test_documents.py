# SPDX-License-Identifier: Apache-2.0
"""What the documents say is so."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from server.llm.prompt import SHIPPED
from server.llm.room import LanguageModels
from server.llm.settings import ChatSettings, Policy, ProviderSettings
from server.simulator.behaviour import parse_behaviour
from server.simulator.faults import Fault

DOCS = Path(__file__).parents[2] / "docs"
PROVIDERS, SIMULATOR = (DOCS / "providers.md").read_text(), (DOCS / "simulator.md").read_text()


def settings(text: str) -> dict[str, Any]:
    return tomllib.loads("\n".join(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)))


@pytest.mark.parametrize("text", [PROVIDERS, SIMULATOR], ids=["providers", "simulator"])
async def test_configurations_are_accepted(text: str) -> None:
    found = settings(text)
    room = LanguageModels(
        {name: ProviderSettings.model_validate(given) for name, given in found["providers"].items()},
        {name: ChatSettings.model_validate(given) for name, given in found["forecasters"].items()},
    )
    assert len(room.forecasters) == len(found["forecasters"])
    await room.close()


def test_the_simulator_may_be_asked_as_configured() -> None:
    """A model whose price nobody knows is not."""
    assert all("price" in given for given in settings(SIMULATOR)["forecasters"].values())


def test_every_prompt_and_policy_is_named() -> None:
    for name in [*(file.stem for file in SHIPPED.glob("*.md")), *Policy]:
        assert f"`{name}`" in PROVIDERS


def test_every_fault_is_named() -> None:
    assert [fault for fault in Fault if f"`{fault.value}`" not in SIMULATOR] == []


def test_every_word_is_understood() -> None:
    rows = re.findall(r"^\| (`.*?) \|", SIMULATOR, re.MULTILINE)
    words = [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
    assert len(words) > 20
    for word in words:
        parse_behaviour(f"sim-{word}")
