# SPDX-License-Identifier: Apache-2.0
"""Where Alembic learns of the connection; the transaction around it belongs to the caller."""

from alembic import context

from server.storage.audit import tables as _audit  # noqa: F401 - adds its tables
from server.storage.experiments import tables as _experiments  # noqa: F401 - adds its tables
from server.storage.ledger import tables as _ledger  # noqa: F401 - adds its tables
from server.storage.outcomes import tables as _outcomes  # noqa: F401 - adds its tables
from server.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
context.run_migrations()
