# SPDX-License-Identifier: Apache-2.0
"""The network as an MLServer runtime. Imported by MLServer, in its own environment."""

import torch
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

NAMES = ("direction_logits", "confidence", "expected_return_bps")


class CnnLstm(MLModel):
    async def load(self):
        torch.set_num_threads(1)
        self.network = torch.jit.load(self.settings.parameters.uri).eval()
        for size in (1, 16):
            for _ in range(3):
                self.network(torch.zeros(size, 60, 112))
        return True

    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0]).reshape(payload.inputs[0].shape)
        with torch.inference_mode():
            answers = self.network(torch.from_numpy(rows.copy()))
        outputs = [
            NumpyCodec.encode_output(name, answer.numpy())
            for name, answer in zip(NAMES, answers, strict=True)
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
