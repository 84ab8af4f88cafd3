# SPDX-License-Identifier: Apache-2.0
"""Settings of the gRPC face."""

from pydantic import BaseModel, ConfigDict, Field

from server.addresses import Address

MEBIBYTE = 1024 * 1024


class RpcSettings(BaseModel):
    """Where and how the server listens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: Address = Field(default="127.0.0.1:50051", description="HOST:PORT; port 0: any free port")
    max_receive_bytes: int = Field(default=16 * MEBIBYTE, ge=1024, description="largest request")
    max_send_bytes: int = Field(default=64 * MEBIBYTE, ge=1024, description="largest response")
    max_concurrent_streams: int = Field(default=1_000, ge=1, description="calls at a time on one connection")
    grace_s: float = Field(default=30.0, ge=0, description="longest time for calls under way after SIGTERM")
    reuse_port: bool = Field(default=False, description="let several processes listen on the same port")
