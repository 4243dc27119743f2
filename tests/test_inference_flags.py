"""What the presets stand for, and that explicit flags override them."""
import argparse
from dataclasses import replace
from pathlib import Path
from typing import List

import pytest

from fashionai.cli import entry_point, inference_flags
from fashionai.cli.inference_flags import add_inference_options, chosen_networks
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment, Garments
from fashionai.inference.config import InferenceConfig, InferenceOptions
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales
from fashionai.model_files.contract import Contract, contract_path, file_sum
from fashionai.model_files.default_model import FAST, supplied_graph
from fashionai.model_files.model_file import ModelFile


@pytest.fixture()
def graph(tmp_path: Path) -> Path:
    """A graph that was trained at 192 pixels across and 160 down."""
    path = tmp_path / 'graph.pb'
    path.write_text('graph')
    contract = Contract('skirt', GARMENTS['skirt'].keypoints, 'testing', (160, 192), 8, 1, file_sum(path))
    contract.save(contract_path(path))
    return path


def look(*flags: str, graphs: tuple, garments: Garments = GARMENTS) -> InferenceConfig:
    parser = argparse.ArgumentParser()
    add_inference_options(parser)
    options = InferenceOptions.of(vars(parser.parse_args(flags)))
    return options.config([ModelFile.open(graph).trained_hw for graph in graphs], garments)


def test_the_usual_way_is_the_picture_its_mirror_image_and_a_second_pass(graph: Path) -> None:
    usual = look(graphs=(graph,))
    assert usual == look('--look', 'usual', '--flip', graphs=(graph,)) == look('--preset=standard', graphs=(graph,))
    assert usual.scales == (1.0,) and usual.options.flip and usual.second_pass == 'heatmaps'
    assert usual.second_scales == (1.0,) and usual.windows == 'merged'
    assert usual.options.assembly == 'shape' == look('--preset', 'accurate', graphs=(graph,)).options.assembly
    assert usual.resolutions_hw == (((160, 192),),) and usual.options.input_size == 192


def test_the_original_way_is_one_preset(graph: Path) -> None:
    original = look('--preset=original', graphs=(graph,))
    assert original.scales == parse_scales(DEFAULT_SCALES) and original.options.flip
    assert original.options.join == 'addup' and original.options.assembly == 'peaks' and original.second_pass is None
    assert original.windows == 'exact'
    typed = look(f'--scales={DEFAULT_SCALES}', '--windows=exact', '--merge=addup', '--assembly=peaks',
                 '--second-pass=none', graphs=(graph,))
    assert replace(typed, preset='original') == original


def test_quick_looks_once_and_thorough_at_two_sizes(graph: Path) -> None:
    quick = look('--look', 'quick', graphs=(graph,))
    assert quick.scales == (1.0,) and not quick.options.flip and quick.resolutions_hw == (((160, 192),),)
    thorough = look('--look', 'thorough', graphs=(graph, graph))
    assert thorough.options.join == 'average' and thorough.second_pass == 'heatmaps' and thorough.options.flip
    assert thorough.options.input_size == 192, 'the canvas is as large as before'
    sizes = ((160, 192), (192, 256))  # a multiple of 32 off, or stride 32 would pad on the other side
    assert thorough.resolutions_hw == (sizes, sizes)


def test_the_preset_or_a_name_chooses_the_supplied_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                          graph: Path) -> None:
    monkeypatch.setattr(entry_point, 'PROJECT_ROOT', tmp_path)

    def chosen(*flags: str) -> List[Path]:
        parser = argparse.ArgumentParser()
        add_inference_options(parser)
        networks = chosen_networks(parser.parse_args(flags), 'skirt')
        return [model.path.with_suffix('.pb') for model in networks.models]

    large, small = supplied_graph(), supplied_graph(FAST)
    assert chosen() == chosen('--preset=accurate') == [large]
    assert chosen('--preset=fast') == chosen('--look=quick') == chosen('--modelpath=fast') == [small]
    assert chosen('--preset=fast', '--modelpath=supplied') == [large]
    assert chosen('--modelpath=supplied,fast') == [large, small]
    assert chosen('--preset=fast', f'--modelpath={graph}') == [graph]


def test_an_engine_is_preferred_if_its_model_is_there_and_as_exact(graph: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_flags, 'leaves_gpu_unused', lambda: False)
    monkeypatch.setattr(inference_flags, 'has_tensorflow', lambda: True)
    monkeypatch.setattr(inference_flags, 'find_spec', lambda name: name)

    def chosen(*flags: str) -> str:
        parser = argparse.ArgumentParser()
        add_inference_options(parser)
        model, = chosen_networks(parser.parse_args(flags), 'skirt', prefer='onnxruntime').models
        return model.path.suffix
    supplied = ('--modelpath=supplied', '--preset=fast')
    assert chosen(*supplied) == '.onnx' and chosen(*supplied, '--engine=tensorflow') == '.pb'
    assert chosen(f'--modelpath={graph}') == '.pb', 'nothing was exported from it'
    monkeypatch.setattr(inference_flags, 'leaves_gpu_unused', lambda: True)
    assert chosen(*supplied) == '.pb'
    monkeypatch.setattr(inference_flags, 'leaves_gpu_unused', lambda: False)
    monkeypatch.setattr(inference_flags, 'find_spec', lambda name: None)
    assert chosen(*supplied) == '.pb', 'ONNX Runtime is not installed'


def test_what_is_typed_has_the_last_word(graph: Path) -> None:
    thorough = look('--preset=accurate', '--second-pass=none', '--no-flip', '--resolution=192x160', graphs=(graph,))
    assert replace(thorough, preset='fast') == look('--preset=fast', graphs=(graph,))


def test_the_second_pass_may_have_scales_of_its_own(graph: Path) -> None:
    assert look(f'--scales={DEFAULT_SCALES}', graphs=(graph,)).second_scales == (1.0,), 'not those of the first pass'
    typed = look('--second-pass=agree', '--second-scales=[1.0, 1.5]', graphs=(graph,))
    assert typed.second_scales == (1.0, 1.5) and typed.scales == (1.0,)
    with pytest.raises(InputError):
        look('--second-scales=none', graphs=(graph,))


def test_sizes_are_for_each_graph_or_all_for_one(graph: Path) -> None:
    sizes = ((64, 64), (96, 128))
    assert look('--resolution=64,128x96', graphs=(graph,)).resolutions_hw == (sizes,)
    assert look('--resolution=64,128x96', graphs=(graph, graph)).resolutions_hw == (sizes[:1], sizes[1:])
    assert look('--resolution=64', graphs=(graph, graph)).resolutions_hw == (sizes[:1], sizes[:1])
    with pytest.raises(InputError, match='3 .*2 '):
        look('--resolution=64,96,128', graphs=(graph, graph))


def test_garments_without_a_mean_shape_are_looked_at_once(graph: Path) -> None:
    sock = Garments((Garment('sock', ('heel', 'toe'), (), ('heel', 'toe'), ('heel', 'toe'), ()),))
    assert look('--preset=accurate', graphs=(graph,), garments=sock).second_pass is None
    replaced = look('--preset=accurate', '--second-pass=replace', graphs=(graph,), garments=sock)
    assert replaced.second_pass == 'replace', 'it is refused when a predictor is made'
    assert look(graphs=(graph,), garments=sock).options.assembly == 'peaks'
    assert look('--assembly=shape', graphs=(graph,), garments=sock).options.assembly == 'shape', 'refused there too'


def test_fields_are_not_joined_by_a_second_pass_of_heat_maps(graph: Path) -> None:
    assert look('--second-pass=heatmaps', graphs=(graph,)).second_pass == 'heatmaps'
    with pytest.raises(InputError, match='paf'):
        look('--second-pass=heatmaps', '--assembly=paf', graphs=(graph,))
    assert look('--assembly=paf', graphs=(graph,)).second_pass == 'agree'


def test_trust_is_no_part_of_what_a_run_remembers(graph: Path) -> None:
    """Rows do not depend on it, so a run may go on with or without."""
    plain, trusting = look(graphs=(graph,)), look('--trust-graph', graphs=(graph,))
    assert trusting.trusted and not plain.trusted and repr(trusting) == repr(plain)
