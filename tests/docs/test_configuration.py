# SPDX-License-Identifier: Apache-2.0
import runpy
from pathlib import Path

GENERATOR = Path(__file__).parents[2] / "docs" / "generate.py"


def test_the_page_is_what_the_settings_say() -> None:
    module = runpy.run_path(str(GENERATOR))
    assert module["PAGE"].read_text(encoding="utf-8") == module["page"](), "run: make docs"
