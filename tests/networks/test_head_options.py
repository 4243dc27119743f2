"""Heads that are changed by flags: their maps, layers and size, and invalid flags."""
from typing import List

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.networks.catalog import NETWORKS, build, input_placeholder, network_spec
from fashionai.networks.head_options import UNCHANGED, HeadOptions

SKIRT = GARMENTS.of('skirt')


def names_of(model: str, options: HeadOptions) -> List[str]:
    with tf.Graph().as_default():
        build(model, tf.zeros((1, 32, 32, 3)), SKIRT, False, options)
        return [variable.op.name for variable in tf.model_variables()]


@pytest.mark.parametrize('model', NETWORKS)
def test_defaults_change_nothing(model: str) -> None:
    assert network_spec(model) == network_spec(model, UNCHANGED) == NETWORKS[model]
    assert (UNCHANGED.label, UNCHANGED.changes) == ('', {})


@pytest.mark.parametrize('stages', [1, 3, 6])
def test_stages(stages: int) -> None:
    network = build('testing', tf.zeros((1, 32, 32, 3)), SKIRT, False, HeadOptions(stages=stages))
    assert len(network.stages) == stages
    assert network.output.name == 'Openpose/concat_stage7:0'


@pytest.mark.parametrize('upsampling', [None, 'transposed', 'bilinear'])
@pytest.mark.parametrize('stride', [4, 2])
@pytest.mark.parametrize('model', ['testing', 'mobilenet_small'])
def test_strides(model: str, stride: int, upsampling: str) -> None:
    options = HeadOptions(stride=stride, upsampling=upsampling)
    assert network_spec(model, options).stride == stride
    assert build(model, tf.zeros((2, 40, 56, 3)), SKIRT, True, options).output.shape.as_list() == [
        2, 40 // stride, 56 // stride, 15]
    layers = [name for name in names_of(model, options) if 'upsample' in name]
    wanted = [f'Openpose/upsample{number}/{kind}' for number in (1, 2)[:8 // stride // 2]
              for kind in ('weights', 'biases')]
    assert layers == ([] if upsampling == 'bilinear' else wanted)


def test_any_number_of_images_of_any_size_at_stride_4() -> None:
    image = input_placeholder()
    output = build('testing', image, SKIRT, False, HeadOptions(stride=4)).output
    assert output.shape.as_list() == [None, None, None, 15]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(output, {image: np.zeros((3, 24, 40, 3))}).shape == (3, 6, 10, 15)


def test_factorised_stages_of_vgg() -> None:
    names = names_of('vgg', HeadOptions(factorised=True, stages=2))
    assert [name for name in names if 'stage2_L1/weights' in name] == [
        f'Openpose/Mconv{layer}_stage2_L1/weights' for layer in range(1, 18)]
    assert network_spec('dsconv', HeadOptions(factorised=True)).head.later == 15 * ((3, 128),) + ((1, 128),)
    assert network_spec('vgg', HeadOptions(factorised=True)).head.first == NETWORKS['vgg'].head.first


@pytest.mark.parametrize('model, without, joined', [
    ('vgg', 128, 128 + 128 + 256), ('vgg16', 128, 128 + 128 + 256), ('dsconv', 128, 128 + 128 + 256),
    ('mobilenet_small', 576, 576 + 32), ('mobilenet_100', 768, 896), ('testing', 16, 16 + 8 + 16),
    ('efficientnet_lite0', 128, 128), ('movenet_thunder', 128, 128), ('seresnet50', 128, 128)])
def test_pyramid(model: str, without: int, joined: int) -> None:
    for pyramid, channels in (('off', without), ('on', joined)):
        spec = network_spec(model, HeadOptions(pyramid=pyramid))
        with tf.Graph().as_default():
            features = spec.backbone(tf.zeros((1, 40, 56, 3)), True, spec.pyramid).stride8
            assert features.shape.as_list() == [1, 5, 7, channels]
            gradients = tf.gradients(features, tf.trainable_variables())
            assert all(gradient is not None for gradient in gradients)


def test_the_pyramid_adds_no_variables_to_the_backbone_of_vgg() -> None:
    plain, joined = (names_of('vgg', HeadOptions(pyramid=pyramid)) for pyramid in ('off', 'on'))
    assert plain == joined


@pytest.mark.parametrize('values, message', [
    ({'stages': 0}, '--stages 0'),
    ({'stages': 7}, '--stages 7'),
    ({'pyramid': 'yes'}, '--pyramid yes.*on, off'),
    ({'stride': 3}, '--stride 3.*8, 4, 2'),
    ({'stride': 4, 'upsampling': 'cubic'}, '--upsampling cubic.*transposed, bilinear'),
    ({'factorised': True, 'stages': 1}, '--factorised.*--stages 1'),
    ({'upsampling': 'bilinear'}, '--upsampling bilinear.*--stride 8.*4, 2')])
def test_what_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HeadOptions(**values)


@pytest.mark.parametrize('model', ['mobilenet_thin', 'testing', 'efficientnet_lite0'])
def test_no_7x7_layers_to_factorise(model: str) -> None:
    with pytest.raises(ValueError, match=f'{model}.*--factorised'):
        network_spec(model, HeadOptions(factorised=True))


def test_from_flags_to_run_json_and_back() -> None:
    options = HeadOptions.of({'model': 'vgg', 'stages': 3, 'pyramid': 'on', 'stride': 4, 'upsampling': None,
                              'factorised': True})
    assert options == HeadOptions(3, 'on', 4, None, True)
    assert options.label == '_stages:3_pyramid:on_stride:4_factorised:True'
    assert HeadOptions.of(options.changes) == options
    assert HeadOptions.of({}) == UNCHANGED
