# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import mypy.api
import pytest


@pytest.mark.slow
def test_the_types_are_what_a_user_expects() -> None:
    file = Path(__file__).with_name("typed_use.py")
    out, error, _ = mypy.api.run([str(file), "--config-file", str(file.parents[2] / "pyproject.toml")])
    ours = [line for line in out.splitlines() if line.startswith(("tests/", str(file)))]
    assert (ours, error) == ([], "")
    assert "typed_use.py" not in out
