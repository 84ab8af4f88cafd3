# SPDX-License-Identifier: Apache-2.0
"""What is decided about experiments, and what they have shown, in the predictions' database."""
