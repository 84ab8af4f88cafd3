# SPDX-License-Identifier: Apache-2.0
"""Outcomes and what they teach, in the predictions' database.

store      the port
versions   which version of an outcome is in force
scoring    scores of the stored forecasts that an outcome judges
cases      stored answers as learning sees them
"""
