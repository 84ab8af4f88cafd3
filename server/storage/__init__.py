# SPDX-License-Identifier: Apache-2.0
"""The prediction store, on SQLite and on PostgreSQL.

store        the port; opens, saves, reads
commit       gathers concurrent saves into one transaction
records      a record as rows; documents is its JSON form
inserts      writes a batch; queries reads
sqlite, postgresql   one database each, behind the Protocol in database
schema       migrations at start; tables is what they lead to
"""
