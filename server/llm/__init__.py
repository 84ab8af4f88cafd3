# SPDX-License-Identifier: Apache-2.0
"""Language models as forecasters: one pooled HTTP client per provider, one adapter per wire format."""
