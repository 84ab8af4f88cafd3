# SPDX-License-Identifier: Apache-2.0
"""The Open Inference Protocol's messages, in a descriptor pool of their own.

Its clients register files of the same names in the default pool; in a private
one, both can live in one process. ``make proto`` writes the descriptors.
"""

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

#: A message of the protocol. Its classes are made at run time, so no type says more.
Pb = Any


def _pool() -> DescriptorPool:
    files = FileDescriptorSet.FromString(Path(__file__).with_suffix(".binpb").read_bytes())
    pool = DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


POOL = _pool()
SERVICE = POOL.FindServiceByName("inference.GRPCInferenceService")


def message(name: str) -> Pb:
    """The class of a message: ``message("ModelInferRequest")``."""
    return GetMessageClass(POOL.FindMessageTypeByName(f"inference.{name}"))
