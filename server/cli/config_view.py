# SPDX-License-Identifier: Apache-2.0
"""What a configuration has in it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from server.config import Settings
from server.llm.secrets import SecretError, resolve


@dataclass(frozen=True, slots=True)
class CheckedEnsemble:
    """An ensemble as configured."""

    name: str
    is_default: bool
    members: tuple[str, ...]
    pooling: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A configuration that is good, in short. ``missing_secrets``: by provider, what cannot be read."""

    file: str
    listen: str
    forecasters: dict[str, int]
    providers: tuple[str, ...]
    ensembles: tuple[CheckedEnsemble, ...]
    missing_secrets: dict[str, str]

    @classmethod
    def of(cls, file: Path, settings: Settings) -> "Checked":
        """Look through settings."""
        default = settings.default_ensemble or next(iter(settings.ensembles))
        return cls(
            file=str(file),
            listen=settings.rpc.listen,
            forecasters=dict(Counter(str(each.kind) for each in settings.forecasters.values())),
            providers=tuple(settings.providers),
            ensembles=tuple(
                CheckedEnsemble(name, name == default, ensemble.members, ensemble.pooling)
                for name, ensemble in settings.ensembles.items()
            ),
            missing_secrets=dict(_missing(settings)),
        )


def _missing(settings: Settings) -> Iterable[tuple[str, str]]:
    used = {getattr(forecaster, "provider", "") for forecaster in settings.forecasters.values()}
    for name, provider in settings.providers.items():
        if name not in used:
            continue
        for reference in (*([provider.key] if provider.key else []), *provider.keys):
            try:
                resolve(reference)
            except SecretError as error:
                yield name, str(error)


def show_checked(console: Console, checked: Checked) -> None:
    """Print it."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in checked.forecasters.items())
    console.print(Text(f"{checked.file} is good.", "bold green"))
    console.print(f"Listens at {checked.listen}; forecasters: {kinds or 'none'}.")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Ensemble", no_wrap=True)
    table.add_column("Pooling")
    table.add_column("Members")
    for ensemble in checked.ensembles:
        name = f"{ensemble.name}{' (default)' if ensemble.is_default else ''}"
        table.add_row(name, ensemble.pooling, ", ".join(ensemble.members))
    console.print(table)
    for provider, problem in checked.missing_secrets.items():
        console.print(Text(f"providers.{provider}: {problem}; its members would be absent", "yellow"))
