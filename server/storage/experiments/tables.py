# SPDX-License-Identifier: Apache-2.0
"""What has been decided about experiments."""

from sqlalchemy import Column, Table

from server.storage.tables import Name, metadata

experiment_states = Table(
    "experiment_states",
    metadata,
    Column("experiment", Name, primary_key=True),
    Column("state", Name, nullable=False),
    Column("arm", Name, nullable=False),
)
