"""Models that compute with integers of 8 bits: made of an exported ONNX model by ONNX Runtime's static quantisation.

Weights have a scale for each output channel. Values between layers have one for each tensor, whose range comes from
photographs. The form is QDQ, with unsigned values and signed weights, as ONNX Runtime's guide advises for processors
with VNNI. OpenVINO computes the same file with integers too.
"""
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np
from timing import ROOT

from fashionai.engines.exported import needed, onnx_runtime
from fashionai.images.decoder import read_image
from fashionai.images.geometry import compose, warp_image
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales, windows_of
from fashionai.model_files.contract import contract_path, file_sum
from fashionai.model_files.model_file import ModelFile

PHOTOGRAPHS = ROOT / 'data' / 'photographs'

KINDS = ('Conv', 'Clip', 'Relu', 'Add', 'Concat', 'Resize')
"""The operations that get integers, where their neighbours have them too."""

HEADS = 'Openpose/(type|visibility)_'
"""The layers that say the type and the visibility. They take little time, and probabilities need more than 8 bits."""


@dataclass(frozen=True)
class Quantisation:
    """How a model gets integers.

    Attributes:
        floats: a regular expression; layers in whose name it is found stay in single precision. '': none.
        calibration: how ranges are found, a name of ONNX Runtime's CalibrationMethod.
        seven_bits: whether weights have 7 bits, so that sums fit on processors without VNNI.
    """

    floats: str = HEADS
    calibration: str = 'MinMax'
    seven_bits: bool = False


class Inputs:
    """The inputs that ranges come from, one after another, as ONNX Runtime reads them."""

    def __init__(self, name: str, batches: Sequence[np.ndarray]) -> None:
        self._name, self._left = name, list(batches)

    def get_next(self) -> Optional[Dict[str, np.ndarray]]:
        """Returns the next input by name; None after the last."""
        return {self._name: self._left.pop(0)} if self._left else None


def inputs_of(model: ModelFile, photographs: Sequence[Path]) -> List[np.ndarray]:
    """Returns the inputs (1, h, w, 3) float32 that show photographs in the original's six windows, in the size that the
    model was trained at. Raises InputError, naming the file, if one cannot be read."""
    hw = model.trained_hw
    found = []
    for path in photographs:
        image = read_image(path)
        to_canvas = canvas_map(image.shape[:2], max(hw))
        for window in windows_of(parse_scales(DEFAULT_SCALES), max(hw), hw, image.shape[:2]):
            found.append(warp_image(compose(to_canvas, window), image, hw)[np.newaxis].astype(np.float32))
    return found


def with_integers(model: ModelFile, photographs: Sequence[Path], how: Quantisation, output: Path) -> ModelFile:
    """Writes an ONNX model with integers in place of another, and its contract beside it.

    Raises InputError if `onnx` or ONNX Runtime is not installed, or if a photograph cannot be read.
    """
    onnx = needed('onnx')
    onnx_runtime()
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process
    assert model.contract, 'exported models have a contract'
    plain = output.with_name(f'{output.stem}-plain.onnx')
    quant_pre_process(str(model.path), str(plain), skip_symbolic_shape=True)
    names = [node.name for node in onnx.load(str(plain)).graph.node]
    left_out = [name for name in names if how.floats and re.search(how.floats, name)]
    quantize_static(str(plain), str(output), Inputs(model.contract.input_name, inputs_of(model, photographs)),
                    quant_format=QuantFormat.QDQ, op_types_to_quantize=list(KINDS), per_channel=True,
                    reduce_range=how.seven_bits, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    nodes_to_exclude=left_out, calibrate_method=CalibrationMethod[how.calibration])
    plain.unlink()
    contract = replace(model.contract, graph_sha256=file_sum(output),
                       export={**model.contract.export, 'weight_format': 'integers in all layers', 'parity': None})
    contract.save(contract_path(output))
    return ModelFile.open(output)
