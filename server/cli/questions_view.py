# SPDX-License-Identifier: Apache-2.0
"""A page of the catalogue: a table where there is room, else question by question."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from consilience import Page, Question
from server.cli import looks


def show_questions(console: Console, page: Page[Question], command: str) -> None:
    """Print the page, and how to get the next one."""
    if console.width >= looks.WIDE and len(page):
        console.print(_table(page))
    else:
        for question in page:
            _show(console, question)
    console.print(f"{len(page)} of {page.total_size} questions.", style="dim")
    if page.next_page_token:
        console.print(f"Next page: {command} --page {page.next_page_token}", style="dim", soft_wrap=True)


def _table(page: Page[Question]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Id", no_wrap=True, style="cyan")
    table.add_column("Question", overflow="fold")
    table.add_column("Category", style="dim")
    table.add_column("Market", justify="right", no_wrap=True)
    table.add_column("Resolved", no_wrap=True)
    for question in page:
        market, resolved = _market(question), _resolved(question)
        table.add_row(question.id, question.text, question.category, market, resolved or "open")
    return table


def _show(console: Console, question: Question) -> None:
    """Two lines or more: what it is, and what it asks."""
    market, resolved = _market(question), _resolved(question)
    facts = (
        question.category,
        f"market {market}" if market else "",
        f"resolved {resolved}" if resolved else "open",
    )
    known = " · ".join(fact for fact in facts if fact)
    console.print(Text.assemble((question.id, "cyan"), (f"  {known}", "dim")))
    console.print(Padding(Text(question.text), (0, 0, 0, 2)))


def _market(question: Question) -> str:
    price = question.market_probability
    return "" if price is None else looks.percent(price, 0)


def _resolved(question: Question) -> str:
    resolution = question.resolution
    if resolution is None:
        return ""
    return f"{resolution.known_time:%Y-%m-%d}" if resolution.known_time else "yes"
