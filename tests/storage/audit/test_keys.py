# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.storage.audit.keys import KeyReference, SigningKey, default_path, is_signed
from server.storage.audit.settings import AuditSettings
from server.storage.errors import StorageError
from server.storage.settings import StorageSettings


def storage(folder: Path) -> StorageSettings:
    return StorageSettings(url=f"sqlite:///{folder}/var/p.db")


def test_a_key_is_made_on_first_use_for_its_owner_alone(tmp_path: Path) -> None:
    made = KeyReference("", storage(tmp_path)).open()
    path = default_path(storage(tmp_path))
    assert path.parent == tmp_path / "var"
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyReference("", storage(tmp_path)).open().public == made.public
    assert KeyReference(f"file:{path}", storage(tmp_path)).open().public == made.public


def test_two_processes_that_make_a_key_at_once_use_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[SigningKey] = []

    def interrupted(*arguments: Any, fdopen: Callable[..., Any] = os.fdopen) -> Any:
        monkeypatch.undo()
        others.append(KeyReference("", storage(tmp_path)).open())
        return fdopen(*arguments)

    monkeypatch.setattr(os, "fdopen", interrupted)  # where a file has been made, and nothing is in it
    made = KeyReference("", storage(tmp_path)).open()
    assert [other.public for other in others] == [made.public]
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["audit-key.pem"]
    assert KeyReference("", storage(tmp_path)).open().public == made.public


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = KeyReference("", storage(tmp_path)).open()
    monkeypatch.setenv("AUDIT_KEY", default_path(storage(tmp_path)).read_text())
    assert KeyReference("env:AUDIT_KEY", storage(tmp_path)).open().public == made.public


def test_a_signature_is_of_one_statement_and_one_key(tmp_path: Path) -> None:
    one, other = (KeyReference("", storage(tmp_path / name)).open() for name in ("one", "other"))
    signature = one.sign("said")
    assert is_signed(one.public, "said", signature)
    assert not is_signed(one.public, "unsaid", signature)
    assert not is_signed(other.public, "said", signature)
    assert not is_signed("no key", "said", signature)
    assert not is_signed(one.public, "said", b"short")


def test_openssl_makes_a_key_that_fits(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    path = tmp_path / "own.pem"
    command = [openssl, "genpkey", "-algorithm", "ed25519", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    assert KeyReference(f"file:{path}", storage(tmp_path)).open().public


def test_a_bad_reference_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTHING_HERE", raising=False)
    with pytest.raises(StorageError, match="NOTHING_HERE is not set"):
        KeyReference("env:NOTHING_HERE", storage(tmp_path)).open()
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(StorageError, match="no unencrypted Ed25519 key"):
        KeyReference(f"file:{tmp_path}/bad.pem", storage(tmp_path)).open()
    with pytest.raises(StorageError, match="there is no such file"):
        KeyReference(f"file:{tmp_path}/missing.pem", storage(tmp_path)).open()
    with pytest.raises(ValueError, match="must be a reference"):
        AuditSettings(key="-----BEGIN PRIVATE KEY-----")
