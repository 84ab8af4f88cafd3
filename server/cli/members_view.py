# SPDX-License-Identifier: Apache-2.0
"""Members of an ensemble as a table."""

from collections.abc import Sequence

from rich.text import Text

from consilience import Cost, CostSource, Member
from server.cli import looks
from server.cli.fitting import Cell, Column, FittingTable

_COLUMNS = (
    Column("Member", "left"),
    Column("Kind", "left", 5, "dim"),
    Column("Provider", "left", 6, "dim"),
    Column("Model", "left", 4, "dim"),
    Column("Weight"),
    Column("Time-out", rank=3),
    Column("Answers"),
    Column("Absent"),
    Column("Latency"),
    Column("Cost", rank=1),
    Column("Right", rank=2),
)


def members_table(members: Sequence[Member]) -> FittingTable:
    """One row for each member, in configured order."""
    return FittingTable(_COLUMNS, [_row(member) for member in members]).styled(
        ["" if one.enabled else "dim strike" for one in members]
    )


def _row(member: Member) -> Sequence[Cell]:
    return _name(member), member.kind, member.provider, member.model, *_figures(member)


def _name(member: Member) -> Text:
    state = Text(f" ({member.circuit})", "yellow") if member.circuit not in ("", "closed") else ""
    return Text.assemble(member.name, state, "" if member.enabled else " (off)")


def _figures(member: Member) -> Sequence[str]:
    cost = None
    if member.mean_cost_nano_usd is not None:
        cost = Cost(member.mean_cost_nano_usd, CostSource.UNSPECIFIED)
    return (
        f"{member.weight:g}",
        looks.duration(member.timeout_s) if member.timeout_s is not None else "",
        f"{member.answers:,}",
        _absences(member),
        looks.duration(member.mean_latency_s),
        looks.money(cost),
        looks.percent(member.accuracy, 0),
    )


def _absences(member: Member) -> str:
    total = sum(member.absences.values())
    if not total:
        return "0"
    most = max(member.absences, key=member.absences.__getitem__)
    return f"{total:,} {most}"
