# SPDX-License-Identifier: Apache-2.0
"""Members of an ensemble as a table."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from consilience import Cost, CostSource, Member
from server.cli import looks


def members_table(members: Sequence[Member], *, wide: bool) -> Table:
    """One row for each member, in configured order."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Member", no_wrap=True)
    for name in ("Kind", "Provider", "Model") if wide else ():
        table.add_column(name, style="dim")
    for name in ("Weight", "Time-out", "Answers", "Absent", "Latency", "Cost", "Right"):
        table.add_column(name, justify="right", no_wrap=True)
    for member in members:
        who = (member.kind, member.provider, member.model) if wide else ()
        table.add_row(_name(member), *who, *_figures(member), style="" if member.enabled else "dim strike")
    return table


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
