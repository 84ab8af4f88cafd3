# SPDX-License-Identifier: Apache-2.0
"""What the providers of ensembles may be shown, so that no judge reads what was never meant for it."""

from collections.abc import Iterable, Iterator, Sequence, Set

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.verified import VerifiedForecaster
from server.forecasting.judging import Shown, check_judges
from server.forecasting.ports import Forecaster, as_showing


def check_all_judges(ensembles: Ensembles, larger: Ensemble, added: Forecaster) -> None:
    """Whether all judges may still see what the answers may repeat, once ``added`` is one of ``larger``.

    Raises:
        ValueError: a provider that judges may be shown less than one that answers.
    """
    disclosure = _Disclosure(ensembles, larger, added)
    for ensemble in ensembles:
        for name, forecaster in ensemble.forecasters.items():
            if isinstance(forecaster, VerifiedForecaster):
                answering, judging = map(disclosure.of, forecaster.ensembles)
                check_judges(name, judging, answering)


class _Disclosure:
    """By provider; each looks at the ensembles as they are now, with one member more."""

    def __init__(self, ensembles: Ensembles, larger: Ensemble, added: Forecaster) -> None:
        self._ensembles = ensembles
        self._larger = larger
        self._added = added

    def of(self, ensemble: str) -> Shown:
        """All that an ensemble asks, at any depth."""
        found: dict[str, Set[str]] = {}
        for forecaster in self._members(self._ensembles.get(ensemble)):
            found.update(self._shown(forecaster))
        return found

    def _members(self, ensemble: Ensemble) -> Iterator[Forecaster]:
        for member in ensemble.spec.members:
            yield ensemble.forecasters[member.name]
        if ensemble is self._larger:
            yield self._added

    def _shown(self, forecaster: Forecaster) -> Shown:
        showing = as_showing(forecaster)
        return showing.shown if showing is not None else self._union(_asked(forecaster))

    def _union(self, ensembles: Iterable[str]) -> Shown:
        return {provider: fields for name in ensembles for provider, fields in self.of(name).items()}


def _asked(forecaster: Forecaster) -> Sequence[str]:
    """The ensembles that a forecaster asks."""
    if isinstance(forecaster, VerifiedForecaster):
        return forecaster.ensembles
    return (forecaster.identity.model,) if forecaster.identity.kind == "ensemble" else ()
