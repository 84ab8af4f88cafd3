# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from consilience import TLS, AsyncClient, Client, UnavailableError
from consilience.security import is_local
from tests.sdk.answering import Answering, add_to
from tests.sdk.conftest import Ask, Served


@pytest.mark.client(token="t0ken", provider_keys={"openai": "client", "xai": "x"}, metadata=[("team", "red")])
async def test_secrets_travel_as_metadata_only(ask: Ask, served: Served) -> None:
    await ask("predict", "Will it?", provider_keys={"openai": "call"})
    call = served.answering.calls[0]
    assert call.metadata["authorization"] == "Bearer t0ken"
    assert call.metadata["x-consilience-key-openai"] == "call"
    assert call.metadata["x-consilience-key-xai"] == "x"
    assert call.metadata["team"] == "red"
    assert call.metadata["user-agent"].startswith("consilience-python/")
    assert b"call" not in call.request.SerializeToString()


def test_secrets_stay_out_of_the_repr() -> None:
    with Client(token="t0ken", provider_keys={"openai": "s3cret"}) as client:
        assert "t0ken" not in repr(client._settings)
        assert "s3cret" not in repr(client._settings)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("localhost:50051", True),
        ("127.8.9.1:1", True),
        ("dns:///localhost:1", True),
        ("ipv4:127.0.0.1:1", False),  # unknown spelling: the safe side
        ("[::1]:50051", True),
        ("unix:/run/consilience.sock", True),
        ("10.0.0.1:50051", False),
        ("example.org:443", False),
        ("example.org", False),
    ],
)
def test_what_counts_as_this_machine(address: str, local: bool) -> None:
    assert is_local(address) is local


def test_no_secret_leaves_in_clear_text() -> None:
    with pytest.raises(ValueError, match="clear text"):
        Client("example.org:443", token="t0ken")
    Client("example.org:443", token="t0ken", allow_plaintext_secrets=True).close()
    Client("example.org:443", token="t0ken", tls=TLS()).close()
    with Client("example.org:443") as client, pytest.raises(ValueError, match="provider_keys"):
        client.predict("Will it?", provider_keys={"openai": "s3cret"})


def test_half_a_key_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="together"):
        TLS(certificate_file="client.pem")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make certificates with")
    folder = tmp_path_factory.mktemp("certificates")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(
        folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority"
    )
    for name in ("server", "client"):
        (folder / f"{name}.ext").write_text("subjectAltName=DNS:forecasts.test\n")
        request = ("-out", f"{name}.csr", "-subj", f"/CN={name}")
        _openssl(folder, "req", *key, "-keyout", f"{name}.key", *request)
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.pem")
    return folder


@pytest.fixture
async def mutual(certificates: Path) -> AsyncIterator[str]:
    server = grpc.aio.server()
    add_to(server, Answering())
    pair = ((certificates / "server.key").read_bytes(), (certificates / "server.pem").read_bytes())
    authority = (certificates / "ca.pem").read_bytes()
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair], authority, True))
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def test_mutual_tls(mutual: str, certificates: Path) -> None:
    tls = TLS(
        certificates / "ca.pem", certificates / "client.pem", certificates / "client.key", "forecasts.test"
    )
    async with AsyncClient(mutual, tls=tls, token="t0ken") as client:
        assert (await client.predict("Will it?")).outcome == "YES"


async def test_without_a_certificate_mutual_tls_is_refused(mutual: str, certificates: Path) -> None:
    tls = TLS(certificates / "ca.pem", server_name="forecasts.test")
    async with AsyncClient(mutual, tls=tls, deadline_s=1.0) as client:
        with pytest.raises(UnavailableError):
            await client.predict("Will it?")
