"""Which engine is taken, and which exported model."""
from pathlib import Path
from types import SimpleNamespace
from typing import List, Optional

import pytest

from fashionai.engines.opening import as_exact, leaves_gpu_unused, open_model
from fashionai.model_files.default_model import supplied_graph
from fashionai.model_files.model_file import ModelFile


@pytest.mark.parametrize('driver, devices, providers, unused', [
    (True, None, ['CPUExecutionProvider'], True), (True, '0', ['CPUExecutionProvider'], True),
    (True, '', ['CPUExecutionProvider'], False), (False, None, ['CPUExecutionProvider'], False),
    (True, None, ['CUDAExecutionProvider', 'CPUExecutionProvider'], False)])
def test_a_gpu_is_unused_if_only_tensorflow_would_use_it(driver: bool, devices: Optional[str], providers: List[str],
                                                         unused: bool, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = SimpleNamespace(get_available_providers=lambda: providers)
    monkeypatch.setattr('fashionai.engines.exported.needed', lambda name: runtime)
    monkeypatch.setattr('fashionai.engines.opening.has_tensorflow', lambda: True)
    monkeypatch.setattr('fashionai.engines.opening._GPU_DRIVER', tmp_path / ('' if driver else 'none'))
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if devices is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', devices)
    assert leaves_gpu_unused() is unused


@pytest.mark.parametrize('difference, exact', [(2.8e-6, True), (1.2e-4, True), (1.3e-4, False), (0.05, False)])
def test_a_model_is_as_exact_as_its_graph_by_what_the_export_measured(difference: float, exact: bool,
                                                                      tmp_path: Path) -> None:
    """Heat maps that reach 1.2, and a difference of one part in ten thousand of it at most."""
    model = open_model(supplied_graph(), 'onnxruntime')
    parity = {**model.contract.export['parity'], 'maps': difference, 'maps_reach': 1.21}
    contract = type(model.contract)(**{**vars(model.contract), 'export': {**model.contract.export, 'parity': parity}})
    assert as_exact(ModelFile(model.path, contract, model.sum)) is exact
    assert not as_exact(ModelFile(model.path, None, model.sum)), 'nothing was measured'
