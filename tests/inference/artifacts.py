# SPDX-License-Identifier: Apache-2.0
"""Small real artifacts, untrained, for tests of serving."""

from pathlib import Path

from models import artifact
from models.architectures import architecture, make_config, plain_config
from models.checks import Specimen
from models.manifest import Manifest
from models.training.describe import input_tensor, output_tensors
from tests.models.shipped import BARE

HORIZONS = (10, 50)


def write(root: Path, name="small", version=1, *, seed=0, kind="bin_ctabl", **config) -> Path:
    """An artifact ``root/name/version`` with fresh weights."""
    made = make_config(kind, {"horizons": HORIZONS, **config})
    specimen = Specimen(architecture(kind), made)
    content = {
        **BARE,
        "name": name,
        "version": version,
        "architecture": kind,
        "config": plain_config(made),
        "inputs": [input_tensor(encoding) for encoding in made.encodings],
        "outputs": output_tensors(len(HORIZONS)),
        "horizons": HORIZONS,
    }
    folder = root / name / str(version)
    artifact.save(
        {"fp32": specimen.network(seed)}, specimen.inputs(2), Manifest.model_validate(content), folder
    )
    return folder
