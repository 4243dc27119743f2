"""Makes an ONNX model compute with integers of 8 bits, by ONNX Runtime's static quantisation.

Weights have a scale for each output channel. Values between layers have one for each tensor, whose range comes from
photographs. The form is QDQ, with unsigned values and signed weights, as ONNX Runtime's guide advises for CPUs.

Weights have 7 bits. With 8 bits, processors without VNNI add up some sums wrongly and do not report it.

Some layers stay in single precision, since they take little time and need more than 8 bits: the first one, which sees
the picture; the last ones of the stages, which give the maps; and those that say the type and the visibility.
"""
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from fashionai.engines.exported import onnx_runtime
from fashionai.extras import needed
from fashionai.images.decoder import read_image
from fashionai.images.geometry import compose, warp_image
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales, windows_of

_KINDS = ('Conv', 'Clip', 'Relu', 'Add', 'Concat', 'Resize')
"""The operations that get integers, where their neighbours have them too."""

_HEADS = re.compile('Openpose/(type|visibility)_')
"""The names of the layers that say the type and the visibility."""


class _Inputs:
    """Gives the inputs that ranges come from, one after another, as ONNX Runtime asks for them."""

    def __init__(self, name: str, batches: Iterator[np.ndarray]) -> None:
        self._name, self._batches = name, batches

    def get_next(self) -> Optional[Dict[str, np.ndarray]]:
        """Returns the next input by name; None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


def inputs_of(photographs: Sequence[Path], input_hw: Tuple[int, int]) -> Iterator[np.ndarray]:
    """Yields the inputs (1, h, w, 3), float32 BGR 0..255, that show photographs in the original's six windows.

    `input_hw` is the size that the network was trained at, in pixels. Raises InputError, naming the file, if a
    photograph cannot be read.
    """
    side = max(input_hw)
    for path in photographs:
        image = read_image(path)
        to_canvas = canvas_map(image.shape[:2], side)
        for window in windows_of(parse_scales(DEFAULT_SCALES), side, input_hw, image.shape[:2]):
            yield warp_image(compose(to_canvas, window), image, input_hw)[np.newaxis].astype(np.float32)


def to_integers(model: Path, input_name: str, inputs: Iterator[np.ndarray]) -> str:
    """Replaces an ONNX model by one that computes with integers. Its ranges come from the inputs, (1, h, w, 3).

    Returns name and version of the program that did it. Raises InputError if `onnx` or ONNX Runtime is not installed.
    """
    onnx, runtime = needed('onnx'), onnx_runtime()
    quantization = needed('onnxruntime.quantization')
    plain = model.with_name(f'{model.stem}-plain.onnx')
    needed('onnxruntime.quantization.shape_inference').quant_pre_process(str(model), str(plain),
                                                                         skip_symbolic_shape=True)
    quantization.quantize_static(
        str(plain), str(model), _Inputs(input_name, inputs), quant_format=quantization.QuantFormat.QDQ,
        op_types_to_quantize=list(_KINDS), per_channel=True, reduce_range=True,
        nodes_to_exclude=_kept(onnx.load(str(plain)).graph), activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8)
    plain.unlink()
    written = onnx.load(str(model))
    _forget_unused_domains(written)
    onnx.save(written, str(model))
    return f'ONNX Runtime {runtime.__version__}'


def _kept(graph: Any) -> List[str]:
    """Returns the names of the nodes that stay in single precision.

    A convolution gives maps if its output goes to `Concat`, or out of the model, without an activation. Where only maps
    are joined, the joined maps stay as they are too.
    """
    joins = [node for node in graph.node if node.op_type == 'Concat']
    ends = {name for node in joins for name in node.input} | {output.name for output in graph.output}
    convolutions = [node for node in graph.node if node.op_type == 'Conv']
    last = [node for node in convolutions if node.output[0] in ends]
    maps = {node.output[0] for node in last}
    kept = [convolutions[0], *last, *(node for node in joins if maps.issuperset(node.input)),
            *(node for node in graph.node if _HEADS.search(node.name))]
    return [node.name for node in kept]


def _forget_unused_domains(model: Any) -> None:
    """Removes the sets of operations that no node uses. The preparation adds all sets that ONNX Runtime knows; another
    version may not know them."""
    used = {node.domain for node in model.graph.node}
    sets = [each for each in model.opset_import if each.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(sets)
