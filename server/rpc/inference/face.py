# SPDX-License-Identifier: Apache-2.0
"""The whole service of the Open Inference Protocol.

Shared memory, trace and log settings are extensions that this server does not
announce; their methods answer UNIMPLEMENTED, as the protocol wants.
"""

from collections.abc import Sequence

from server.inference.servable import ModelSource
from server.rpc.inference.catalogue import ModelCatalogue
from server.rpc.inference.ensemble_base import Engines
from server.rpc.inference.ensembles import ServedEnsembles
from server.rpc.inference.infer import InferHandlers
from server.rpc.inference.models import ModelHandlers


def inference_handlers(engines: Engines, sources: Sequence[ModelSource]) -> list[object]:
    """The objects that answer the service: the ensembles first, then the models of every source."""
    catalogue = ModelCatalogue([ServedEnsembles(engines), *sources])
    return [ModelHandlers(catalogue, engines.market.code_version), InferHandlers(catalogue)]
