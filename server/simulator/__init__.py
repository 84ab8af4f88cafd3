# SPDX-License-Identifier: Apache-2.0
"""A language-model provider that is none.

A real HTTP server that speaks the wire formats of the providers, with latency,
failures, rate limits and a ledger of what it billed, chosen by the name of the
model that is asked. For tests, load runs and dry runs; what it answers is made
up from the request and is never a forecast.
"""
