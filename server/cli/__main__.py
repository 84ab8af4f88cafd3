# SPDX-License-Identifier: Apache-2.0
"""``python -m server.cli``: the command where no script is installed."""

from server.cli.main import main

main()
