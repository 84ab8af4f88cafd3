# SPDX-License-Identifier: Apache-2.0
"""Ensembles as models: a question in texts, or a market's state in numbers, becomes probabilities.

Each is served under its own name. One that answers questions is served a
second time, as ``NAME.running``: decoupled, with a response for every member
that answers, the last of them the answer itself.
"""

from collections.abc import Sequence

from server.engine.ensembles import Ensemble
from server.inference.errors import ControlError, UnknownModelError
from server.inference.servable import ModelEntry, ModelState, Servable
from server.rpc.inference.ensemble_base import VERSION, Engines
from server.rpc.inference.market_ensembles import MarketEnsemble
from server.rpc.inference.question_ensembles import QuestionEnsemble
from server.rpc.inference.running_ensembles import RunningEnsemble


class ServedEnsembles:
    """The ensembles of a server as a source of models. Callers do not load or unload them."""

    def __init__(self, engines: Engines) -> None:
        self._models: dict[str, Servable] = {}
        for ensemble in engines.ensembles:
            for model in _models_of(ensemble, engines):
                self._models[model.form.name] = model

    def get(self, name: str, version: int | None) -> Servable:
        """See ``ModelSource.get``."""
        if name not in self._models or version not in {None, VERSION}:
            raise UnknownModelError(
                f"no ensemble has that name; known are: {', '.join(sorted(self._models))}"
            )
        return self._models[name]

    def loaded(self) -> Sequence[Servable]:
        """See ``ModelSource.loaded``."""
        return [model for _, model in sorted(self._models.items())]

    def index(self) -> Sequence[ModelEntry]:
        """See ``ModelSource.index``."""
        return [ModelEntry(name, VERSION, ModelState.READY) for name in sorted(self._models)]

    async def load(self, name: str, version: int | None) -> None:
        """See ``ModelSource.load``."""
        self._refuse(name, version)

    async def unload(self, name: str) -> None:
        """See ``ModelSource.unload``."""
        self._refuse(name, None)

    def _refuse(self, name: str, version: int | None) -> None:
        self.get(name, version)
        raise ControlError(
            f"explicit model load / unload is not allowed for {name!r}, which comes from the configuration"
        )


def _models_of(ensemble: Ensemble, engines: Engines) -> list[Servable]:
    if ensemble.spec.horizon_updates:
        return [MarketEnsemble(ensemble, engines)]
    return [QuestionEnsemble(ensemble, engines), RunningEnsemble(ensemble, engines)]
