# SPDX-License-Identifier: Apache-2.0
"""Health, metadata, configuration, statistics and the repository."""

import grpc

from server.inference.servable import ModelForm, ModelState, Servable
from server.rpc.call import Call
from server.rpc.inference import describe
from server.rpc.inference.catalogue import ModelCatalogue
from server.rpc.inference.faults import invalid, not_found, unimplemented
from server.rpc.inference.protocol import Pb, message
from server.rpc.status import StatusError, grpc_code

NAME = "consilience"
#: Only what works is announced.
EXTENSIONS = (
    "classification",
    "sequence",
    "sequence(string_id)",
    "model_repository",
    "model_repository(unload_dependents)",
    "schedule_policy",
    "model_configuration",
    "parameters",
    "statistics",
)


class ModelHandlers:
    """One coroutine for each method, free of any transport."""

    def __init__(self, catalogue: ModelCatalogue, version: str) -> None:
        self._catalogue = catalogue
        self._version = version

    async def server_live(self, request: Pb, call: Call) -> Pb:
        """The process answers."""
        del request, call
        return message("ServerLiveResponse")(live=True)

    async def server_ready(self, request: Pb, call: Call) -> Pb:
        """Whether every model is ready, but for those unloaded on purpose."""
        del request, call
        return message("ServerReadyResponse")(ready=self._catalogue.ready)

    async def model_ready(self, request: Pb, call: Call) -> Pb:
        """True, or the status that says why not."""
        del call
        try:
            self._catalogue.get(request.name, request.version)
        except StatusError as error:
            # Without a version, a model that has none ready counts as unknown.
            if not request.version and grpc_code(error.status) is grpc.StatusCode.UNAVAILABLE:
                raise not_found(error.status.message) from None
            raise
        return message("ModelReadyResponse")(ready=True)

    async def server_metadata(self, request: Pb, call: Call) -> Pb:
        """Name, version and what this server can do beside the required."""
        del request, call
        return message("ServerMetadataResponse")(name=NAME, version=self._version, extensions=EXTENSIONS)

    async def model_metadata(self, request: Pb, call: Call) -> Pb:
        """A model's inputs and outputs."""
        del call
        form = self._catalogue.get(request.name, request.version).form
        return describe.metadata_message(form, self._versions(form))

    async def model_config(self, request: Pb, call: Call) -> Pb:
        """A model's configuration as it is used."""
        del call
        form = self._catalogue.get(request.name, request.version).form
        return message("ModelConfigResponse")(config=describe.config_message(form, self._versions(form)))

    async def model_statistics(self, request: Pb, call: Call) -> Pb:
        """What models have done; without a name, of all that are ready."""
        del call
        found = [
            describe.statistics_message(model.form, model.counts())
            for model in self._counted(request.name, request.version)
        ]
        return message("ModelStatisticsResponse")(model_stats=found)

    async def repository_index(self, request: Pb, call: Call) -> Pb:
        """Every model and version known, or those that are ready."""
        del call
        _check_repository(request)
        entries = [
            entry for entry in self._catalogue.index() if entry.state is ModelState.READY or not request.ready
        ]
        response = message("RepositoryIndexResponse")()
        for entry in entries:
            response.models.add(
                name=entry.name, version=str(entry.version), state=entry.state.value, reason=entry.reason
            )
        return response

    async def repository_model_load(self, request: Pb, call: Call) -> Pb:
        """Load a model's newest version, or the one that the parameter ``version`` names."""
        del call
        _check_repository(request)
        for name in request.parameters:
            if name != "version":
                raise unimplemented(
                    f"load parameter {name!r} is not served: a model's form comes from its sealed manifest"
                )
        await self._catalogue.load(request.model_name, _version(request.parameters))
        return message("RepositoryModelLoadResponse")()

    async def repository_model_unload(self, request: Pb, call: Call) -> Pb:
        """Unload every version. No model depends on another, so ``unload_dependents`` changes nothing."""
        del call
        _check_repository(request)
        for name, value in request.parameters.items():
            if name != "unload_dependents":
                raise invalid(f"unload parameter {name!r} is not known")
            if value.WhichOneof("parameter_choice") != "bool_param":
                raise invalid("unload parameter 'unload_dependents' wants bool_param")
        await self._catalogue.unload(request.model_name)
        return message("RepositoryModelUnloadResponse")()

    def _versions(self, form: ModelForm) -> list[int]:
        return sorted(
            model.form.version for model in self._catalogue.loaded() if model.form.name == form.name
        )

    def _counted(self, name: str, version: str) -> list[Servable]:
        if name and version:
            return [self._available(name, version)]
        found = [model for model in self._catalogue.loaded() if name in {"", model.form.name}]
        return found if found or not name else [self._available(name, version)]

    def _available(self, name: str, version: str) -> Servable:
        try:
            return self._catalogue.get(name, version)
        except StatusError as error:
            if grpc_code(error.status) is grpc.StatusCode.UNAVAILABLE:
                raise invalid(f"requested model {name!r} is not available: {error}") from None
            raise


def _check_repository(request: Pb) -> None:
    if request.repository_name:
        raise unimplemented("'repository_name' is not served: this server has one repository; leave it empty")


def _version(parameters: Pb) -> str:
    if "version" not in parameters:
        return ""
    value = parameters["version"]
    chosen = value.WhichOneof("parameter_choice")
    if chosen not in {"int64_param", "string_param"}:
        raise invalid("load parameter 'version' wants int64_param or string_param")
    return str(getattr(value, chosen))
