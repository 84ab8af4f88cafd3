# SPDX-License-Identifier: Apache-2.0
"""What each architecture is trained with, where measurement asked for more than the defaults."""

from dataclasses import replace

from kernels.labels import LabelKind
from models.encoding import FI2010_LEVELS, Encoding
from models.training.settings import (
    LabelSettings,
    Precision,
    Recipe,
    Schedule,
    ThresholdRule,
    TrainingSettings,
)

#: Small networks on few, overlapping examples: fast, mirrored, and trained again on all rows to be shipped.
#: The balance of the calls is one for all: its best point on one stretch is noise on the next.
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
    call_balance=0.3,
    refit=True,
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
    call_balance=0.3,
    validation_share=0.12,
)

#: On features: one pass over the rows, in two halves. A second already unlearns what holds for other hours.
FEATURES = replace(
    LARGE, learning_rate=4e-4, weight_decay=0.1, epochs=2, epoch_share=0.5, call_balance=0.5, refit=True
)

#: The labels that FI-2010 brings.
PUBLISHED = LabelSettings(kind=LabelKind.FI2010, rule=ThresholdRule.FIXED)

RECIPES = {
    "bin_ctabl": Recipe(SMALL, config={"summary": True}),
    "book_mlp": Recipe(replace(SMALL, batch_size=256, epochs=4, epoch_share=1.0)),
    "book_memory": Recipe(replace(SMALL, batch_size=256, epochs=6, epoch_share=1.0, weight_decay=0.5)),
    "mlplob": Recipe(SMALL, config={"summary": True}),
    "tlob": Recipe(replace(LARGE, mirror=True)),
    "cnn_lstm": Recipe(FEATURES),
    "mpd_transformer": Recipe(replace(FEATURES, epochs=1)),  # it unlearns in the second half already
}


def recipe(architecture: str, *, fi2010: bool = False) -> Recipe:
    """What that architecture is trained with; the defaults where nothing else was found better.

    ``fi2010``: on that data set, whose windows are ten levels as published.
    """
    found = RECIPES.get(architecture, Recipe())
    if not fi2010:
        return found
    if architecture in ("book_mlp", "book_memory"):
        raise ValueError(
            f"architecture: {architecture} reads ticks and sizes; FI-2010 has neither, choose another"
        )
    config: dict[str, object] = {"encoding": Encoding.FI2010_WINDOW.value}
    if architecture in ("bin_ctabl", "mlplob"):
        config |= {"levels": FI2010_LEVELS, "summary": False}
    training = replace(found.training, mirror=False, refit=False)
    return replace(found, config=config, training=training, labels=PUBLISHED)
