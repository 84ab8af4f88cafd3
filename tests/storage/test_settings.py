# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from pydantic import ValidationError

from server.storage.errors import StorageError
from server.storage.settings import StorageSettings, resolved_url


def test_the_default_is_a_file_under_var() -> None:
    assert resolved_url(StorageSettings()).database == "var/consilience.db"


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("consilience.db", "is no database URL"),
        ("mysql://host/database", "mysql is not supported; use sqlite or postgresql"),
        ("sqlite+aiosqlite:///x.db", "is not supported"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("postgresql://user:hush@host/database", r'url = "env:DATABASE_URL"'),
    ],
)
def test_a_bad_url_is_refused_with_the_mend(url: str, mend: str) -> None:
    with pytest.raises(ValidationError, match=mend) as caught:
        StorageSettings(url=url)
    assert "hush" not in str(caught.value)
    assert caught.value.errors()[0]["loc"] == ("url",)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="uri"):
        StorageSettings.model_validate({"uri": "sqlite:///x.db"})


def test_the_environment_may_hold_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "postgres://user:hush@host:1/database")
    settings = StorageSettings(url="env:STORE")
    url = resolved_url(settings)
    assert (url.drivername, url.password) == ("postgresql", "hush")
    assert "hush" not in repr(settings)


def test_a_file_may_hold_the_url(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("sqlite:////data/x.db\n", encoding="utf-8")
    assert resolved_url(StorageSettings(url=f"file:{secret}")).database == "/data/x.db"


@pytest.mark.parametrize("reference", ["env:NOT_SET_ANYWHERE", "file:/nowhere/at/all"])
def test_a_reference_that_leads_nowhere_is_named(reference: str) -> None:
    with pytest.raises(StorageError, match=r"storage\.url: the .*" + reference.partition(":")[2]):
        resolved_url(StorageSettings(url=reference))


def test_a_bad_url_behind_a_reference_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "hush")
    with pytest.raises(StorageError, match=r"storage\.url: is no database URL") as caught:
        resolved_url(StorageSettings(url="env:STORE"))
    assert "hush" not in str(caught.value)
