# SPDX-License-Identifier: Apache-2.0
import asyncio
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import consilience
from tests.sdk.conftest import Served

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
MODULES = [module.name for module in pkgutil.iter_modules(consilience.__path__, "consilience.")]


def test_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_readme_example_runs(example: str, served: Served) -> None:
    text = example.replace("127.0.0.1:50051", served.address)
    code = compile(text, README.name, "exec")
    await asyncio.to_thread(exec, code, {"__name__": "__main__"})


@pytest.mark.parametrize("name", [*MODULES, "consilience"])
def test_docstring_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


def test_every_public_name_is_there() -> None:
    public = consilience.__all__
    for name in public:
        assert getattr(consilience, name).__module__.startswith(("consilience.", "typing", "types")), name
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = consilience.Klient


def test_the_version_is_the_distributions() -> None:
    assert consilience.__version__ == version("consilience")


def _imported(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return set(done.stdout.split())


def test_the_client_is_light() -> None:
    assert not _imported("from consilience import AsyncClient, Client") & {"numpy", "torch", "pydantic"}


def test_plugins_and_stubs_cost_only_themselves() -> None:
    assert not _imported("import consilience.plugins") & {"grpc", "google", "numpy"}


def test_lists_need_no_numpy() -> None:
    _imported(
        "import sys; sys.modules['numpy'] = None\n"
        "from consilience.aggregation import set_probabilities\n"
        "from consilience.v1.predict_service_pb2 import AggregateRequest\n"
        "set_probabilities(AggregateRequest(), [0.5, None])"
    )
