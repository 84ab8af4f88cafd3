# SPDX-License-Identifier: Apache-2.0
import pytest

from benchmarks.serving import Served
from tests.sdk.test_package import EXAMPLES, README


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_readme_example_runs_against_the_real_server(example: str, served: Served) -> None:
    text = example.replace("127.0.0.1:50051", served.address)
    exec(compile(text, README.name, "exec"), {"__name__": "__main__"})  # noqa: S102
