# SPDX-License-Identifier: Apache-2.0
import re
import subprocess

import pytest

from benchmarks.serving import REPOSITORY, Served
from tests.sdk.test_package import EXAMPLES, README

FIRST = REPOSITORY / "README.md"
INFERENCE = REPOSITORY / "docs" / "open_inference.md"
TRITON = REPOSITORY / ".venvs" / "tritonclient" / "bin" / "python"


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_readme_example_runs_against_the_real_server(example: str, served: Served) -> None:
    text = example.replace("127.0.0.1:50051", served.address)
    exec(compile(text, README.name, "exec"), {"__name__": "__main__"})  # noqa: S102


def test_the_first_readme_example_runs_against_the_real_server(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", FIRST.read_text(), re.DOTALL | re.MULTILINE)
    text = example.replace("127.0.0.1:50051", served.address)
    exec(compile(text, FIRST.name, "exec"), {"__name__": "__main__"})  # noqa: S102
    assert re.match(r"0\.62\d+ agreement 0\.62 ", capsys.readouterr().out)


@pytest.mark.skipif(
    not TRITON.exists(), reason="tritonclient has no environment here; `make triton-client` makes it"
)
def test_the_inference_example_runs_against_the_real_server(served: Served) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", INFERENCE.read_text(), re.DOTALL | re.MULTILINE)
    text = example.replace("127.0.0.1:50051", served.address)
    done = subprocess.run([TRITON, "-c", text], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert "0.62" in done.stdout
