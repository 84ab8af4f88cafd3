# SPDX-License-Identifier: Apache-2.0
"""Reading rich errors off a failed call."""

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def details(error: grpc.aio.AioRpcError) -> tuple[dict[str, str], error_details_pb2.ErrorInfo]:
    """Field violations by field, and the ErrorInfo."""
    status = rpc_status.from_call(error)
    assert status is not None
    bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Is(bad.DESCRIPTOR):
            detail.Unpack(bad)
        elif detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
    return {v.field: v.description for v in bad.field_violations}, info
