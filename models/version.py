# SPDX-License-Identifier: Apache-2.0
"""Version of the code behind the networks; written into checkpoints and manifests."""

#: Raised whenever the same weights would answer otherwise, or the same training end otherwise.
CODE_VERSION = "models/2"
