# SPDX-License-Identifier: Apache-2.0
import runpy
from pathlib import Path

GENERATOR = Path(__file__).parents[2] / "docs" / "generate.py"


def test_the_page_is_what_the_settings_say() -> None:
    module = runpy.run_path(str(GENERATOR))
    assert module["PAGE"].read_text(encoding="utf-8") == module["page"](), "run: make docs"


def test_every_key_has_a_meaning() -> None:
    page = runpy.run_path(str(GENERATOR))["page"]()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 200
    # A "|" in a meaning would begin a column that the table does not have.
    assert [row for row in rows if row.count("|") != 5 or not row.split("|")[4].strip()] == []
