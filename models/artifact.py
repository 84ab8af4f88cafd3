# SPDX-License-Identifier: Apache-2.0
"""Compiled networks on disk: the one file that knows TorchScript.

TorchScript is deprecated upstream and still the only form of a network that
loads without its source, runs without the interpreter's lock and is no pickle
of ours; whoever replaces it changes this file alone. An artifact is a folder:
``manifest.json``, and one file of weights for each precision.
"""

import hashlib
import io
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models import manifest as manifests
from models.heads import Heads
from models.manifest import ArtifactError, Manifest, Weights

DEFAULT_PRECISION = "fp32"
#: Largest difference between a compiled network and its source that is accepted, fp32.
TOLERANCE = 1e-5

Compiled = Callable[..., Heads]
Sample = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A loaded network: call ``network`` with a batch (B, *shape) float32 of each input, get the heads.

    It carries no gradients and has no training mode.
    """

    manifest: Manifest
    precision: str
    network: Compiled


def save(modules: Mapping[str, nn.Module], sample: Sample, manifest: Manifest, folder: Path) -> Manifest:
    """Compile a network in each precision given and write the artifact; returns its manifest.

    ``modules`` maps precision to network, "fp32" among them; ``sample`` is a
    batch of each input, on which compiled and eager answers are compared. The weights
    of ``manifest`` are replaced by those written.

    Raises:
        ArtifactError: the compiled fp32 network differs from its source by more than 1e-5.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    with torch.inference_mode():
        reference = modules[DEFAULT_PRECISION].eval()(*sample)
    for precision, module in modules.items():
        content = compile_network(module, sample)
        difference = _largest_difference(reference, load_bytes(content)(*sample))
        if precision == DEFAULT_PRECISION and difference > TOLERANCE:
            raise ArtifactError(f"compiled network differs from its source by {difference:.2e}")
        written[precision] = _write_weights(folder, precision, content, difference, manifest)
    return manifests.write_manifest(manifest.model_copy(update={"weights": written}), folder)


def add_weights(
    folder: Path,
    precision: str,
    content: bytes,
    *,
    macro_f1_loss: Mapping[int, float],
    ece_change: Mapping[int, float],
    largest_difference: float,
) -> Manifest:
    """Add the compiled weights of one more precision to an artifact and seal it anew; returns its manifest.

    Raises:
        ArtifactError: the artifact cannot be read.
    """
    manifest = manifests.read_manifest(folder)
    added = _write_weights(folder, precision, content, largest_difference, manifest).model_copy(
        update={"macro_f1_loss": dict(macro_f1_loss), "ece_change": dict(ece_change)}
    )
    weights = {**manifest.weights, precision: added}
    return manifests.write_manifest(manifest.model_copy(update={"weights": weights}), folder)


def load(folder: str | Path, *, precision: str = DEFAULT_PRECISION) -> Artifact:
    """Load one precision of an artifact, onto the CPU.

    Raises:
        ArtifactError: missing, damaged, altered, or without that precision.
    """
    manifest, network = load_script(folder, precision=precision)
    return Artifact(manifest, precision, _inference(network.eval()))


def load_script(
    folder: str | Path, *, precision: str = DEFAULT_PRECISION
) -> tuple[Manifest, torch.jit.ScriptModule]:
    """One precision of an artifact with its graph, for those who convert it.

    Raises:
        ArtifactError: missing, damaged, altered, or without that precision.
    """
    place = Path(folder)
    manifest = manifests.read_manifest(place)
    weights = manifest.weights.get(precision)
    if weights is None:
        raise ArtifactError(f"{place}: has no {precision} weights; it has {', '.join(manifest.weights)}")
    return manifest, load_module(_read_weights(place / weights.file, weights))


def compile_network(module: nn.Module, sample: Sample) -> bytes:
    """The network as a file that loads without its source: no source positions, no paths."""
    with _without_deprecations(), torch.inference_mode():
        compiled = torch.jit.freeze(torch.jit.script(module.eval()))
        compiled(*sample)
    return saved(compiled)


def saved(network: torch.jit.ScriptModule) -> bytes:
    """A compiled network as a file."""
    buffer = io.BytesIO()
    with _without_deprecations():
        torch.jit.save(network, buffer)
    return _plain_archive(buffer.getvalue())


def _plain_archive(content: bytes) -> bytes:
    """The archive without the source positions, which hold paths of the machine that compiled it."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w") as after:
        for entry in before.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                after.writestr(zipfile.ZipInfo(entry.filename), before.read(entry))
    return target.getvalue()


def load_bytes(content: bytes) -> Compiled:
    """A compiled network, ready to be called.

    Raises:
        ArtifactError: the bytes are none.
    """
    network: Compiled = load_module(content).eval()
    return _inference(network)


def load_module(content: bytes) -> torch.jit.ScriptModule:
    """A compiled network with its graph.

    Raises:
        ArtifactError: the bytes are none.
    """
    try:
        with _without_deprecations():
            network: torch.jit.ScriptModule = torch.jit.load(  # type: ignore[no-untyped-call]
                io.BytesIO(content), map_location="cpu"
            )
    except RuntimeError as error:
        raise ArtifactError(f"not a compiled network: {str(error).splitlines()[0]}") from None
    return network


def _inference(network: Compiled) -> Compiled:
    def run(*inputs: Tensor) -> Heads:
        with torch.inference_mode():
            return network(*inputs)

    return run


def _write_weights(
    folder: Path, precision: str, content: bytes, difference: float, manifest: Manifest
) -> Weights:
    name = "model.pt" if precision == DEFAULT_PRECISION else f"model.{precision}.pt"
    (folder / name).write_bytes(content)
    known = manifest.weights.get(precision)
    return Weights(
        file=name,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        macro_f1_loss=known.macro_f1_loss if known else {},
        largest_difference=difference,
    )


def _read_weights(file: Path, expected: Weights) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be read: {error.strerror}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != expected.sha256:
        raise ArtifactError(
            f"{file}: was altered: its sha256 is {found[:12]}..., the manifest says {expected.sha256[:12]}..."
        )
    return content


def _largest_difference(first: Heads, second: Heads) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(first, second, strict=True))


@contextmanager
def _without_deprecations() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`?torch\.jit\.", category=FutureWarning)
        warnings.filterwarnings("ignore", message=r"`?torch\.jit\.", category=DeprecationWarning)
        yield
