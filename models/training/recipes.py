# SPDX-License-Identifier: Apache-2.0
"""What each architecture is trained with, where measurement asked for more than the defaults."""

from dataclasses import replace

from models.encoding import FI2010_LEVELS, Encoding
from models.training.settings import Precision, Recipe, Schedule, TrainingSettings

#: Small networks on few, overlapping examples: fast, mirrored, and judged on recent rows.
SMALL = TrainingSettings(
    learning_rate=3e-3,
    weight_decay=1e-2,
    batch_size=128,
    epochs=5,
    accumulation=1,
    schedule=Schedule.ONE_CYCLE,
    precision=Precision.FP32,
    epoch_share=0.5,
    mirror=True,
    validation_share=0.12,
)

#: Large networks learn the hour by heart within a pass over the data; they get two, in bf16 on a GPU.
LARGE = TrainingSettings(
    learning_rate=3e-4,
    weight_decay=5e-2,
    batch_size=64,
    epochs=4,
    accumulation=1,
    schedule=Schedule.ONE_CYCLE,
    precision=Precision.FP32,
    epoch_share=0.25,
    validation_share=0.12,
)

RECIPES = {
    "bin_ctabl": Recipe(SMALL),
    "mlplob": Recipe(SMALL),
    "tlob": Recipe(replace(LARGE, mirror=True)),
    "cnn_lstm": Recipe(LARGE),
    "mpd_transformer": Recipe(LARGE),
}


def recipe(architecture: str, *, fi2010: bool = False) -> Recipe:
    """What that architecture is trained with; the defaults where nothing else was found better.

    ``fi2010``: on that data set, whose windows are ten levels as published.
    """
    found = RECIPES.get(architecture, Recipe())
    if not fi2010:
        return found
    config: dict[str, object] = {"encoding": Encoding.FI2010_WINDOW.value}
    if architecture in ("bin_ctabl", "mlplob"):
        config["levels"] = FI2010_LEVELS
    return replace(found, config=config, training=replace(found.training, mirror=False))
