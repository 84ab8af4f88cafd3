# SPDX-License-Identifier: Apache-2.0
"""One HTML file with everything in it: tables and pictures, no links to anywhere."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from server.research.grid.run import Results, choices
from server.research.grid.tables import HEAD, MEMBER_HEAD, SIMULATED, line, member_line, profile_rows

_STYLE = """
:root{color-scheme:light dark;--ink:#22313f;--paper:#fbfcfc;--rule:#dde4e6;--accent:#0b7a75}
@media (prefers-color-scheme:dark){:root{--ink:#dfe7ea;--paper:#14191d;--rule:#2c363c;--accent:#4fc3bb}}
body{font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
body{max-width:74rem;margin:3rem auto;padding:0 1.5rem}
h1{font-size:1.9rem;margin:0}
h2{margin:2.6rem 0 .6rem;border-bottom:2px solid var(--accent);display:inline-block}
.table{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
img{max-width:100%;background:#fff;border-radius:6px;margin:.8rem 0}
small{opacity:.75}
"""


def write_page(results: Results, pictures: Sequence[Path], path: Path) -> None:
    """The report of a run."""
    configuration = results.configuration
    name = escape(str(configuration["name"]))
    hashes = ", ".join(f"{file} {digest[:12]}" for file, digest in configuration["recorded"]["data"].items())
    body = [
        f"<h1>{name}</h1><p>Seed {configuration['seed']} · code {configuration['recorded']['code']} · "
        f"{escape(hashes)}</p><p><small>{SIMULATED} Intervals are 95 % bootstraps; "
        f"questions of one cluster are resampled together.</small></p>",
        "<h2>Profile</h2>" + _table(("", "configuration", "by"), profile_rows(results)),
        *(_picture(picture) for picture in pictures),
        "<h2>Configurations</h2>" + _table(HEAD, [line(row) for row in choices(results.figures)]),
    ]
    if results.sizes:
        body.append("<h2>Ensemble size</h2>" + _table(HEAD, [line(row) for row in choices(results.sizes)]))
    if results.members:
        body.append("<h2>Members</h2>" + _table(MEMBER_HEAD, [member_line(row) for row in results.members]))
    path.write_text(page(name, "".join(body)), encoding="utf-8")


def page(title: str, body: str) -> str:
    """An HTML document in the house's looks."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><body>{body}</body></html>\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>'


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(path.stem.replace("_", " "))}" src="data:image/png;base64,{data}">'
