# SPDX-License-Identifier: Apache-2.0
"""The network that the benchmarks serve is one that the server takes, and their request fits it."""

from google.protobuf import json_format

from benchmarks.inference.load import infer_request, request_data
from benchmarks.inference.network import NAME, write_network
from server.inference.networks import Networks
from server.inference.servable import Wishes
from server.inference.settings import InferenceSettings
from server.rpc.inference.protocol import message
from server.rpc.inference.tensors_in import inputs_from


async def test_the_measured_network_answers_the_measured_request(tmp_path):
    write_network(tmp_path)
    networks = Networks(InferenceSettings(repository=tmp_path))
    model = networks.models.get(NAME, 1)
    request = infer_request()
    assert json_format.ParseDict(request_data(), message("ModelInferRequest")()) == request
    outputs = await model.answer(inputs_from(request, model.form), Wishes())
    assert [output.shape for output in outputs] == [(1, 5, 3), (1, 5), (1, 5)]
    await networks.close()
