# SPDX-License-Identifier: Apache-2.0
"""Numbered steps, each one transaction; applied by ``server.storage.schema``."""
