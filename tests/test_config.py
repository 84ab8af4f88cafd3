# SPDX-License-Identifier: Apache-2.0
"""One file, the environment over it, and errors that name the path of the key."""

from pathlib import Path

import pytest

from server.config import DEFAULT_FILE, ConfigError, load
from server.learning.methods import DEFAULT_CALIBRATION, DEFAULT_POOLING, DEFAULT_WEIGHTING

MINIMAL = """
[forecasters.price]
kind = "market"

[ensembles.only]
members = ["price"]
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "server.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_quickstart_is_valid_and_names_three_providers() -> None:
    settings = load(DEFAULT_FILE)
    assert len(settings.providers) >= 3
    assert settings.default_ensemble in settings.ensembles
    assert settings.rpc.listen.startswith("127.0.0.1:")


def test_the_quickstart_has_the_evaluated_default_beside_the_fixed_weights() -> None:
    ensembles = load(DEFAULT_FILE).ensembles
    learned, fixed = ensembles["learned"], ensembles["quickstart"]
    chosen = (learned.pooling, learned.weighting, learned.calibration)
    assert chosen == (DEFAULT_POOLING, DEFAULT_WEIGHTING, DEFAULT_CALIBRATION)
    assert learned.members == fixed.members
    assert "market" in learned.members
    assert (fixed.weighting, fixed.calibration) == ("fixed", "none")


def test_defaults_fill_the_rest(tmp_path: Path) -> None:
    settings = load(write(tmp_path, MINIMAL))
    assert settings.deadline.default_s == 2.0
    assert settings.ensembles["only"].min_agreement == 0.6


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIENCE_RPC__LISTEN", "127.0.0.1:6000")
    monkeypatch.setenv("CONSILIENCE_DEADLINE__DEFAULT_S", "1.5")
    settings = load(write(tmp_path, MINIMAL + "\n[rpc]\nlisten = '127.0.0.1:7000'\ngrace_s = 1\n"))
    assert settings.rpc.listen == "127.0.0.1:6000"
    assert settings.rpc.grace_s == 1
    assert settings.deadline.default_s == 1.5


@pytest.mark.parametrize(
    ("addition", "path", "mend"),
    [
        ("[rpc]\nlissten = 'x'", "rpc -> lissten", "not a known key"),
        ("nonsense = 1", "nonsense", "not a known key"),
        ("[rpc]\nlisten = 'nowhere'", "rpc -> listen", "HOST:PORT"),
        ("[rpc]\nlisten = '127.0.0.1:99999'", "rpc -> listen", "65535"),
        ("[telemetry]\nmetrics_listen = ':9'", "telemetry -> metrics_listen", "HOST:PORT"),
        ("[forecasters.chat]\nkind = 'chat'", "forecasters -> chat -> model", "is missing"),
        ("[forecasters.x]\nkind = 'chatty'", "forecasters -> x", "kind 'chatty' is not one of"),
        ("[forecasters.x]\nmodel = 'm'", "forecasters -> x", "kind is missing"),
        ("[deadline]\ndefault_s = 0", "deadline -> default_s", "greater than 0"),
        ("[ensembles.e]\nmembers = ['nope']", "ensembles.e.members", "not defined in [forecasters]"),
        ("[ensembles.e]\nmembers = ['price', 'price']", "ensembles.e.members", "must differ"),
        ("[ensembles.e]\nmembers = []", "ensembles -> e -> members", "at least 1"),
        ("[ensembles.e]\nmembers = ['price']\npooling = 'magic'", "ensembles.e.pooling", "log_odds"),
        ("[ensembles.e]\nmembers = ['price']\nexecution = 'magic'", "ensembles.e.execution", "parallel"),
        ("[ensembles.e]\nmembers = ['price']\nhigh_agreement = 0.1", "ensembles.e.high_agreement", "below"),
        ("[ensembles.e]\nmembers = ['price']\nmin_responses = 3", "ensembles.e.min_responses", "more than"),
        ("[ensembles.e]\nmembers = ['price']\nparameters = {x = 1}", "ensembles.e.parameters[x]", "no such"),
        (
            "[ensembles.e]\nmembers = ['price']\nmember.nope.weight = 1",
            "ensembles.e.member.nope",
            "not in members",
        ),
        (
            "[ensembles.e]\nmembers = ['price']\nmember.price.weight = -1",
            "ensembles -> e -> member -> price -> weight",
            "greater than or equal to 0",
        ),
        ("[market]\nensemble = 'nope'", "market.ensemble", "not defined in [ensembles]"),
        ("[forecasters.x]\nkind = 'magic'", "forecasters -> x", "kind"),
        (
            "[forecasters.x]\nkind = 'chat'\nprovider = 'nope'\nmodel = 'm'",
            "forecasters.x.provider",
            "not defined in [providers]",
        ),
        (
            "[forecasters.x]\nkind = 'ensemble'\nensemble = 'e'\n[ensembles.e]\nmembers = ['x']",
            "",
            "contains itself",
        ),
        (
            "[providers.home]\nbase_url = 'http://127.0.0.1:1/v1'\npolicy = 'local'\n"
            "[providers.far]\nbase_url = 'https://api.openai.com/v1'\n"
            "[forecasters.a]\nkind = 'chat'\nprovider = 'home'\nmodel = 'm'\n"
            "[forecasters.spare]\nkind = 'chat'\nprovider = 'far'\nmodel = 'm'\n"
            "[forecasters.j]\nkind = 'chat'\nprovider = 'home'\nmodel = 'm'\nfallbacks = ['spare']\n"
            "[forecasters.deep]\nkind = 'ensemble'\nensemble = 'first'\n"
            "[forecasters.x]\nkind = 'verified'\nensemble = 'outer'\njudge = 'judges'\n"
            "[ensembles.first]\nmembers = ['a']\n[ensembles.outer]\nmembers = ['deep']\n"
            "[ensembles.judges]\nmembers = ['j']",
            "forecasters.x.judge",
            "'far' may not be shown caller, source, stake, tags, url, which provider 'home' is shown",
        ),
    ],
)
def test_errors_name_the_file_the_key_and_the_mend(
    tmp_path: Path, addition: str, path: str, mend: str
) -> None:
    file = write(
        tmp_path,
        f"{addition}\n{MINIMAL}" if "=" in addition.split("\n", maxsplit=1)[0] else MINIMAL + addition,
    )
    with pytest.raises(ConfigError) as caught:
        load(file)
    message = str(caught.value)
    assert str(file) in message
    assert path in message
    assert mend in message


def test_one_underscore_for_two_is_refused_and_other_names_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, MINIMAL)
    monkeypatch.setenv("CONSILIENCE_SERVICE_HOST", "10.0.0.1")
    load(file)
    monkeypatch.setenv("CONSILIENCE_RPC_LISTEN", "127.0.0.1:6000")
    with pytest.raises(ConfigError, match="RPC_LISTEN sets nothing; write CONSILIENCE_RPC__LISTEN"):
        load(file)


def test_a_key_in_place_of_its_reference_is_not_echoed(tmp_path: Path) -> None:
    file = write(tmp_path, MINIMAL + "\n[providers.p]\nbase_url = 'http://x/v1'\nkey = 'sk-very-secret'\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "sk-very-secret" not in str(caught.value)
    assert "providers -> p -> key" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "no such file"), (b"\xff", "cannot be read"), (b"[[", "not valid TOML")]
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "server.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load(file)
