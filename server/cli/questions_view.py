# SPDX-License-Identifier: Apache-2.0
"""A page of the catalogue as a table."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from consilience import Page, Question
from server.cli import looks


def show_questions(console: Console, page: Page[Question], command: str) -> None:
    """Print the page, and how to get the next one."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Id", no_wrap=True, style="cyan")
    table.add_column("Question", overflow="fold")
    table.add_column("Category", style="dim")
    table.add_column("Market", justify="right", no_wrap=True)
    table.add_column("Resolved", no_wrap=True)
    for question in page:
        market = question.market_probability
        table.add_row(
            question.id,
            question.text,
            question.category,
            "" if market is None else looks.percent(market, 0),
            _resolved(question),
        )
    console.print(table)
    console.print(f"{len(page)} of {page.total_size} questions.", style="dim")
    if page.next_page_token:
        console.print(f"Next page: {command} --page {page.next_page_token}", style="dim", soft_wrap=True)


def _resolved(question: Question) -> str:
    resolution = question.resolution
    if resolution is None:
        return "open"
    return f"{resolution.known_time:%Y-%m-%d}" if resolution.known_time else "yes"
