# SPDX-License-Identifier: Apache-2.0
"""The audit log: what happened, in chains of hashes that show any later change.

Every process is a writer with a chain of its own, so nobody waits for anybody.
An entry's hash covers the hash before it; a writer's first entry names the heads
of the chains that it found. An entry holds digests of salted content, never the
content itself, so that content can be erased and the chain still holds. Signed
checkpoints say how far a chain had come; see docs/audit.md and ADR 0009.
"""
