# SPDX-License-Identifier: Apache-2.0
"""One answer from any server of the protocol, so that they are known to do the same work."""

import grpc
import numpy as np
from numpy.typing import NDArray

from benchmarks.inference.load import infer_request
from server.rpc.inference.protocol import message


def answer(address: str) -> NDArray[np.float32]:
    """The direction logits of the request that the load is made of."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=lambda sent: sent.SerializeToString(),
            response_deserializer=message("ModelInferResponse").FromString,
        )
        response = call(infer_request(), timeout=30)
    place = [output.name for output in response.outputs].index("direction_logits")
    if response.raw_output_contents:
        return np.frombuffer(response.raw_output_contents[place], np.float32)
    return np.array(response.outputs[place].contents.fp32_contents, np.float32)
