# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of our own, on loopback, in a folder of its own."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

PASSWORD = "p@ss:word/1"  # noqa: S105 - of a server that lives for one test run
UNPRIVILEGED_USER = "postgres"
_CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, or None."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found and (found[-1] / "pg_ctl").exists() else None


class Cluster:
    """Started by ``start``, removed by ``stop``; the superuser has a password."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="consilience-postgres-"))
        self._data = self._folder / "data"
        self.port = _free_port()

    def start(self) -> None:
        """Make the cluster and wait until it answers."""
        secret = self._folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if os.geteuid() == 0:
            shutil.chown(self._folder, UNPRIVILEGED_USER)
            shutil.chown(secret, UNPRIVILEGED_USER)
        self._run("initdb", "-D", self._data, "-U", "forecaster", f"--pwfile={secret}", "-A", "scram-sha-256")
        self.resume()

    def restart(self) -> None:
        """Stop at once, as a failure would, and start again."""
        self.halt()
        self.resume()

    def halt(self) -> None:
        """Stop at once, without a word to those who are connected."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def resume(self) -> None:
        """Start, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self._folder}"
        self._run("pg_ctl", "-D", self._data, "-l", self._folder / "log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop and remove everything."""
        with suppress(subprocess.CalledProcessError):
            self.halt()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The URL of the one database, with the password in it."""
        return f"postgresql://forecaster:p%40ss%3Aword%2F1@127.0.0.1:{self.port}/postgres"

    async def execute(self, *statements: str) -> None:
        """Run statements as the superuser."""
        import asyncpg  # noqa: PLC0415 - an extra, not there in every installation

        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user="forecaster", password=PASSWORD, database="postgres"
        )
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def empty(self) -> None:
        """Remove all tables: a database of its own for each test would take half a second each.

        What a failed test left connected is cut off; its locks would keep all others waiting.
        """
        await self.execute(_CUT_OFF, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = [
                "setpriv",
                f"--reuid={UNPRIVILEGED_USER}",
                f"--regid={UNPRIVILEGED_USER}",
                "--clear-groups",
                *command,
            ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=120)  # noqa: S603


def _free_port() -> int:
    """One that nobody uses, below those that the system hands out: it stays free across a restart, too."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
