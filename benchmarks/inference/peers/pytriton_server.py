# SPDX-License-Identifier: Apache-2.0
"""The network behind pytriton. Runs in its own environment.

python pytriton_server.py MODEL PORT INSTANCES
"""

import signal
import sys
import threading

import numpy as np
import torch
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

NAMES = ("direction_logits", "confidence", "expected_return_bps")
MAX_BATCH = 16


def infer_function(path):
    torch.set_num_threads(1)
    network = torch.jit.load(path).eval()

    @batch
    def infer(feature_rows):
        torch.set_num_threads(1)
        with torch.inference_mode():
            answers = network(torch.from_numpy(feature_rows))
        return dict(zip(NAMES, (answer.numpy() for answer in answers), strict=True))

    for size in (1, MAX_BATCH):
        for _ in range(3):
            network(torch.zeros(size, 60, 112))
    return infer


def main():
    path, port, instances = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    settings = TritonConfig(grpc_port=port, http_port=port + 1, allow_metrics=False, log_verbose=0)
    with Triton(config=settings) as triton:
        triton.bind(
            model_name="cnn_lstm",
            infer_func=[infer_function(path) for _ in range(instances)],
            inputs=[Tensor(name="feature_rows", dtype=np.float32, shape=(60, 112))],
            outputs=[
                Tensor(name=name, dtype=np.float32, shape=(-1,) * (2 if name == NAMES[0] else 1))
                for name in NAMES
            ],
            config=ModelConfig(
                max_batch_size=MAX_BATCH, batcher=DynamicBatcher(max_queue_delay_microseconds=0)
            ),
        )
        triton.run()
        ended.wait()


if __name__ == "__main__":
    main()
