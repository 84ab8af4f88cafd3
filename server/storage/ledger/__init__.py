# SPDX-License-Identifier: Apache-2.0
"""Budgets and every paid call, in the same database as the predictions.

ledger       the port; what callers see
writer       gathers what is to be written into one transaction
book         one transaction: what each entry does to budgets and reservations
entries      what is handed from one to the other
owners       leases of processes, and what becomes of a dead one's reservations
requests     claims on requests, and paid answers kept for another attempt
spending     reads: budgets and spend
tables       the tables; migration 0002 leads to them
"""
