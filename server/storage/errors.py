# SPDX-License-Identifier: Apache-2.0
"""What can go wrong outside of a caller's request."""


class StorageError(Exception):
    """The database cannot be opened or read. The message names the setting and the mend."""
