# SPDX-License-Identifier: Apache-2.0
"""What a model says about itself: metadata, configuration and statistics as messages."""

from server.inference.servable import ModelForm, TensorForm
from server.inference.statistics import BatchCounts, Counts, Duration, ResponseCounts
from server.rpc.inference.datatypes import DATATYPES
from server.rpc.inference.protocol import Pb, message

ModelMetadataResponse = message("ModelMetadataResponse")
ModelConfig = message("ModelConfig")
ModelStatistics = message("ModelStatistics")
InferStatistics = message("InferStatistics")
InferResponseStatistics = message("InferResponseStatistics")
InferBatchStatistics = message("InferBatchStatistics")
StatisticDuration = message("StatisticDuration")

KIND_CPU = 2


def metadata_message(form: ModelForm, versions: list[int]) -> Pb:
    """Inputs and outputs with -1 for the batch where there is one."""
    return ModelMetadataResponse(
        name=form.name,
        versions=[str(version) for version in versions],
        platform=form.platform,
        inputs=[_tensor(each, form) for each in form.inputs],
        outputs=[_tensor(each, form) for each in form.outputs],
    )


def _tensor(each: TensorForm, form: ModelForm) -> Pb:
    shape = (-1, *each.shape) if form.max_batch else each.shape
    return ModelMetadataResponse.TensorMetadata(name=each.name, datatype=each.datatype, shape=shape)


def config_message(form: ModelForm, versions: list[int]) -> Pb:
    """The configuration as the server uses it."""
    config = ModelConfig(
        name=form.name,
        platform=form.platform,
        backend=form.backend,
        max_batch_size=form.max_batch,
        input=[
            {
                "name": each.name,
                "data_type": DATATYPES[each.datatype].number,
                "dims": each.shape,
                "optional": each.optional,
            }
            for each in form.inputs
        ],
        output=[
            {"name": each.name, "data_type": DATATYPES[each.datatype].number, "dims": each.shape}
            for each in form.outputs
        ],
        version_policy={"specific": {"versions": versions}},
        instance_group=[{"name": f"{form.name}_0", "kind": KIND_CPU, "count": 1}],
        model_transaction_policy={"decoupled": form.decoupled},
    )
    for key, value in form.parameters.items():
        config.parameters[key].string_value = value
    _batching(form, config)
    return config


def _batching(form: ModelForm, config: Pb) -> None:
    if form.batching is None:
        return
    config.dynamic_batching.CopyFrom(
        type(config.dynamic_batching)(
            max_queue_delay_microseconds=round(form.batching.queue_delay_s * 1e6),
            priority_levels=form.batching.priority_levels,
            default_priority_level=form.batching.default_priority,
            default_queue_policy={"allow_timeout_override": True, "max_queue_size": form.batching.max_queue},
        )
    )


def statistics_message(form: ModelForm, counts: Counts) -> Pb:
    """What a model has done since it was loaded."""
    return ModelStatistics(
        name=form.name,
        version=str(form.version),
        last_inference=counts.last_inference_ms,
        inference_count=counts.inference_count,
        execution_count=counts.execution_count,
        inference_stats=InferStatistics(
            success=_duration(counts.success),
            fail=_duration(counts.fail),
            queue=_duration(counts.queue),
            compute_input=_duration(counts.compute_input),
            compute_infer=_duration(counts.compute_infer),
            compute_output=_duration(counts.compute_output),
            cache_hit=StatisticDuration(),
            cache_miss=StatisticDuration(),
        ),
        batch_stats=[_batch(size, batch) for size, batch in sorted(counts.batches.items())],
        response_stats={str(index): _response(each) for index, each in sorted(counts.responses.items())},
    )


def _response(counts: ResponseCounts) -> Pb:
    return InferResponseStatistics(
        compute_infer=_duration(counts.compute_infer),
        compute_output=_duration(counts.compute_output),
        success=_duration(counts.success),
        fail=_duration(counts.fail),
        empty_response=StatisticDuration(),
        cancel=_duration(counts.cancel),
    )


def _batch(size: int, batch: BatchCounts) -> Pb:
    return InferBatchStatistics(
        batch_size=size,
        compute_input=_duration(batch.compute_input),
        compute_infer=_duration(batch.compute_infer),
        compute_output=_duration(batch.compute_output),
    )


def _duration(taken: Duration) -> Pb:
    return StatisticDuration(count=taken.count, ns=taken.ns)
