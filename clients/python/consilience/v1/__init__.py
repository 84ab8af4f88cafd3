# SPDX-License-Identifier: Apache-2.0
"""Generated messages and stubs of the contract in ``protos/consilience/v1``."""
