# SPDX-License-Identifier: Apache-2.0
"""What every network must pass, by name. A new architecture is done when all of them hold.

    for check in CHECKS:
        check(specimen)

A check raises ``AssertionError`` with a sentence that says what is wrong.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kernels import windows
from models import artifact
from models.architectures import Architecture, Config, input_specs
from models.encoding import Encoding, InputSpec
from models.heads import CLASSES, ForecastNetwork, Heads

TOLERANCE = 1e-5

Inputs = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Specimen:
    """An architecture with the settings under which it is checked."""

    architecture: Architecture
    config: Config

    def network(self, seed: int = 0) -> ForecastNetwork:
        """Fresh weights, the same for the same seed."""
        torch.manual_seed(seed)
        return self.architecture.build(self.config)

    def inputs(self, batch: int = 4, seed: int = 0) -> Inputs:
        """Plausible inputs, each (B, *shape)."""
        return example_inputs(self.config, batch=batch, seed=seed)


def example_inputs(config: Config, *, batch: int, seed: int = 0) -> Inputs:
    """Made-up inputs of the right shape and scale: a book that walks, or features with gaps."""
    generator = np.random.default_rng(seed)
    return tuple(_example(generator, spec, batch) for spec in input_specs(config))


def _example(generator: np.random.Generator, spec: InputSpec, batch: int) -> Tensor:
    if spec.encoding is Encoding.BOOK_WINDOW:
        return torch.from_numpy(_walking_book(generator, batch))
    if spec.encoding is Encoding.BOOK_HISTORY:
        return torch.from_numpy(generator.random((batch, *spec.shape), np.float32))
    values = generator.standard_normal((batch, *spec.shape)).astype(np.float32)
    if spec.encoding in (Encoding.FEATURE_ROWS, Encoding.FEATURE_ROW):
        values[..., generator.random(spec.shape[-1]) < 0.05] = np.nan
    return torch.from_numpy(values)


def _walking_book(
    generator: np.random.Generator, batch: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows = batch + windows.ROWS - 1
    mid = 10_000 + np.cumsum(generator.integers(-1, 2, rows))
    level = np.arange(20)
    sizes = generator.integers(1, 100_000, (2, rows, 20))
    spread = generator.integers(1, 3, rows)
    book = windows.encode_rows(
        mid[:, None] + spread[:, None] + level, sizes[0], mid[:, None] - level, sizes[1], lot_size=0.01
    )
    return book.windows(np.arange(windows.ROWS - 1, rows))


def check_shapes(specimen: Specimen) -> None:
    """Direction (B, H, 3), confidence and return (B, H), float32, for any B."""
    network, horizons = specimen.network().eval(), len(specimen.config.horizons)
    for batch in (1, 3):
        logits, confidence, expected = network(*specimen.inputs(batch))
        _demand(logits.shape == (batch, horizons, CLASSES), f"direction logits are {tuple(logits.shape)}")
        _demand(confidence.shape == (batch, horizons), f"confidence is {tuple(confidence.shape)}")
        _demand(expected.shape == (batch, horizons), f"expected return is {tuple(expected.shape)}")
        _demand(all(head.dtype == torch.float32 for head in (logits, confidence, expected)), "not float32")


def check_finite_outputs(specimen: Specimen) -> None:
    """Finite answers also where the input is empty, flat or wild; confidence in 0..1."""
    network = specimen.network().eval()
    usual = specimen.inputs(2)
    for name, change in (
        ("usual", lambda x: x),
        ("all zero", torch.zeros_like),
        ("flat in time", lambda x: x[:, :1].expand_as(x).contiguous()),
        ("wild", lambda x: torch.nan_to_num(x).clamp(-16, 16) * 4.0),
    ):
        heads = network(*(change(x) for x in usual))
        _demand(all(bool(torch.isfinite(head).all()) for head in heads), f"not finite on {name} input")
        _demand(bool(((heads[1] >= 0) & (heads[1] <= 1)).all()), f"confidence outside 0..1 on {name} input")


def check_evaluation_is_deterministic(specimen: Specimen) -> None:
    """Twice the same input, twice the same answer, but for the rounding that memory alignment decides."""
    network, inputs = specimen.network().eval(), specimen.inputs()
    _assert_equal(network(*inputs), network(*inputs), 1e-6, "answers change from call to call")


def check_batch_invariance(specimen: Specimen) -> None:
    """What else is in a batch changes no answer."""
    network, inputs = specimen.network().eval(), specimen.inputs(5)
    together = network(*inputs)
    for i in range(5):
        alone = network(*(x[i : i + 1] for x in inputs))
        _assert_equal(
            tuple(head[i : i + 1] for head in together), alone, TOLERANCE, "answers depend on the batch"
        )


def check_forward_is_pure(specimen: Specimen) -> None:
    """A forward pass in training changes neither weights nor inputs."""
    network, inputs = specimen.network().train(), specimen.inputs()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    copies = [x.clone() for x in inputs]
    network(*inputs)
    for name, value in network.state_dict().items():
        _demand(torch.equal(value, before[name]), f"forward changes {name}")
    for x, copy in zip(inputs, copies, strict=True):
        _demand(torch.equal(torch.nan_to_num(x), torch.nan_to_num(copy)), "forward changes its input")


def check_gradients_reach_every_weight(specimen: Specimen) -> None:
    """No parameter is decoration."""
    network = specimen.network().train()
    logits, confidence, expected = network(*specimen.inputs(8))
    torch.autograd.backward(logits[..., 0].sum() + torch.logit(confidence, eps=1e-6).sum() + expected.sum())
    for name, parameter in network.named_parameters():
        gradient = parameter.grad
        _demand(gradient is not None and bool(gradient.any()), f"no gradient reaches {name}")


def check_learns(specimen: Specimen) -> None:
    """A few steps on a few examples lower their loss."""
    network, inputs = specimen.network().train(), specimen.inputs(8)
    network.fit_inputs(*inputs)
    labels = torch.arange(8) % CLASSES
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-4)
    losses = []
    for _ in range(12):
        logits = network(*inputs)[0]
        loss = torch.nn.functional.cross_entropy(logits[:, 0], labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
    _demand(min(losses[-3:]) < losses[0], f"loss went from {losses[0]:.3f} to {losses[-1]:.3f}")


def check_compiled_equals_eager(specimen: Specimen) -> None:
    """The compiled network answers as its source does, within 1e-5, whatever the batch."""
    network = specimen.network().eval()
    compiled = artifact.load_bytes(artifact.compile_network(network, specimen.inputs(2)))
    for batch in (1, 7):
        inputs = specimen.inputs(batch, seed=batch)
        with torch.inference_mode():
            _assert_equal(network(*inputs), compiled(*inputs), TOLERANCE, "compiled differs from eager")


def check_compiled_names_no_path(specimen: Specimen) -> None:
    """The file of a compiled network holds no path of the machine that made it."""
    content = artifact.compile_network(specimen.network().eval(), specimen.inputs(2))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        records = [archive.read(name) for name in archive.namelist()]
    for place in (Path(__file__).parents[1], Path(torch.__file__).parent):
        _demand(not any(str(place).encode() in record for record in records), f"the file names {place}")


CHECKS: tuple[Callable[[Specimen], None], ...] = (
    check_shapes,
    check_finite_outputs,
    check_evaluation_is_deterministic,
    check_batch_invariance,
    check_forward_is_pure,
    check_gradients_reach_every_weight,
    check_learns,
    check_compiled_equals_eager,
    check_compiled_names_no_path,
)


def _assert_equal(first: Heads, second: Heads, tolerance: float, complaint: str) -> None:
    largest = max(float((a - b).detach().abs().max()) for a, b in zip(first, second, strict=True))
    _demand(largest <= tolerance, f"{complaint}: by {largest:.2e}")


def _demand(holds: bool, complaint: str) -> None:
    if not holds:
        raise AssertionError(complaint)
