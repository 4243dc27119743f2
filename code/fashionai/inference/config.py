"""How pictures go through the networks: the presets, and the one value that says all of it."""
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Mapping, Optional, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.garments.shapes import has_shape
from fashionai.garments.table import Garments
from fashionai.inference.predictor import PredictionOptions
from fashionai.inference.windows import DEFAULT_SCALES, DEFAULT_TILING, PERIOD, WindowScale, parse_scales

NO_SECOND_PASS = 'none'
"""The value of `--second-pass` that switches it off."""

SizeHw = Tuple[int, int]


@dataclass(frozen=True)
class Preset:
    """The values that `--preset` stands for; an explicit flag overrides its value.

    `input_sizes` are factors of the input size that the network was trained at. The network sees each picture at every
    size, and the heat maps are averaged.
    """

    scales: str = DEFAULT_SCALES
    flip: bool = True
    join: str = 'addup'
    second_pass: str = NO_SECOND_PASS
    input_sizes: Tuple[Fraction, ...] = (Fraction(1),)


PRESETS: Mapping[str, Preset] = MappingProxyType({
    'fast': Preset(scales='[1.0]', flip=False),
    'standard': Preset(),
    'accurate': Preset(join='average', second_pass='agree', input_sizes=(Fraction(3, 4), Fraction(1), Fraction(4, 3)))})
"""Presets by name. The model card of the supplied network gives the error and the time of each."""

DEFAULT_PRESET = 'standard'
ORIGINAL_NAMES: Mapping[str, str] = MappingProxyType({'quick': 'fast', 'usual': 'standard', 'thorough': 'accurate'})
"""The names that `--look` had for the presets."""


@dataclass(frozen=True)
class InferenceConfig:
    """How pictures go through one network or several.

    Attributes:
        options: of the canvas and of decoding.
        scales: the windows; see windows.py.
        resolutions_hw: for each network one input size (height, width) in pixels or several, which are averaged.
        maps: a name of tensor_names.OUTPUTS.
        second_pass: a name of SECOND_PASSES, or None.
        windows: a name of TILINGS.
        engine: a name of ENGINES, or None: the file's ending decides.
        trusted: whether a graph may have any operation. It decides no point, so it is no part of the text of a config.
    """

    options: PredictionOptions
    scales: Tuple[WindowScale, ...]
    resolutions_hw: Tuple[Sequence[SizeHw], ...]
    maps: str = 'last'
    second_pass: Optional[str] = None
    windows: str = DEFAULT_TILING
    engine: Optional[str] = None
    trusted: bool = field(default=False, repr=False)


def preset_named(name: str) -> Preset:
    """Returns the preset of that name; the names of `--look` are known too. Raises InputError for another name."""
    name = ORIGINAL_NAMES.get(name, name)
    if name not in PRESETS:
        raise InputError(f'unknown preset {name!r}: wanted one of {", ".join(PRESETS)}')
    return PRESETS[name]


def preset_config(name: str, trained_hws: Sequence[SizeHw], garments: Garments,
                  engine: Optional[str] = None) -> InferenceConfig:
    """Returns the configuration of a preset.

    Args:
        name: of PRESETS.
        trained_hws: the input size (height, width) in pixels that each network was trained at.
        garments: the table of garment types that the networks serve.
        engine: a name of ENGINES, or None.

    Raises InputError for an unknown preset.
    """
    preset = preset_named(name)
    second_pass = suitable_second_pass(preset, garments)
    options = PredictionOptions(max(trained_hws[0]), preset.flip, preset.join)
    return InferenceConfig(options, parse_scales(preset.scales), preset_sizes(preset, trained_hws),
                           second_pass=second_pass, engine=engine)


def preset_sizes(preset: Preset, trained_hws: Sequence[SizeHw]) -> Tuple[Tuple[SizeHw, ...], ...]:
    """Returns for each network the input sizes (height, width) of a preset."""
    return tuple(tuple(dict.fromkeys(_scaled(trained, factor) for factor in preset.input_sizes))
                 for trained in trained_hws)


def suitable_second_pass(preset: Preset, garments: Garments) -> Optional[str]:
    """Returns the second pass of a preset; None if a type of the table has no mean shape, which it needs."""
    if preset.second_pass == NO_SECOND_PASS or not all(map(has_shape, garments.values())):
        return None
    return preset.second_pass


def _scaled(trained: SizeHw, factor: Fraction) -> SizeHw:
    """Returns about that many times a size. The difference is whole periods of the network's layers, so that cells
    stay in their places."""
    height, width = (side + int((factor - 1) * side / PERIOD) * PERIOD for side in trained)
    return height, width
