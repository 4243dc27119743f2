"""How pictures go through the networks: the presets, the flags of inference, and the configuration that they give."""
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Mapping, Optional, Sequence, Tuple

from fashionai.codec.decoding import DECODERS
from fashionai.engines.opening import ENGINES
from fashionai.errors import InputError
from fashionai.garments.shapes import has_shape
from fashionai.garments.table import SUPPLIED, Garments
from fashionai.inference.canvas import JOINS
from fashionai.inference.predictor import ASSEMBLIES, PredictionOptions
from fashionai.inference.second_pass import HEATMAPS, SECOND_PASSES
from fashionai.inference.windows import DEFAULT_SCALES, DEFAULT_TILING, TILINGS, WindowScale, parse_scales
from fashionai.model_files.default_model import FAST
from fashionai.networks.head_options import PERIOD
from fashionai.networks.tensor_names import OUTPUTS
from fashionai.option_group import OptionGroup, at_least, option, size_hw

NO_SECOND_PASS = 'none'
"""The value of `--second-pass` that switches it off."""

SizeHw = Tuple[int, int]


@dataclass(frozen=True)
class Preset:
    """The values that `--preset` stands for; an explicit flag overrides its value.

    `input_sizes` are factors of the input size that the network was trained at. The network sees each picture at every
    size, and the heat maps are averaged.
    `network` is the one of default_model.SUPPLIED_NETWORKS that is used if the user names no network and has none.
    """

    scales: str = '[1.0]'
    windows: str = DEFAULT_TILING
    flip: bool = True
    join: str = 'average'
    assembly: str = 'shape'
    second_pass: str = NO_SECOND_PASS
    input_sizes: Tuple[Fraction, ...] = (Fraction(1),)
    network: str = SUPPLIED


PRESETS: Mapping[str, Preset] = MappingProxyType({
    'fast': Preset(flip=False, network=FAST),
    'standard': Preset(second_pass=HEATMAPS),
    'accurate': Preset(second_pass=HEATMAPS, input_sizes=(Fraction(1), Fraction(4, 3))),
    'original': Preset(DEFAULT_SCALES, 'exact', join='addup', assembly='peaks')})
"""Presets by name. The model card of the supplied network gives the error of each, docs/performance.md the time of
some."""

DEFAULT_PRESET = 'standard'
ORIGINAL_NAMES: Mapping[str, str] = MappingProxyType({'quick': 'fast', 'usual': 'standard', 'thorough': 'accurate'})
"""The names that `--look` had for the presets."""


@dataclass(frozen=True)
class InferenceConfig:
    """How pictures go through one network or several. It depends on the networks; InferenceOptions does not.

    Attributes:
        options: the options of the canvas and of decoding.
        scales: the windows; see windows.py.
        resolutions_hw: for each network its input sizes (height, width) in pixels; the heat maps of all are averaged.
        maps: a name of tensor_names.OUTPUTS.
        second_pass: a name of SECOND_PASSES, or None.
        second_scales: the windows of the second pass.
        windows: a name of TILINGS.
        engine: a name of ENGINES; None: the ending of the file decides.
        preset: the name of the preset whose values are used without a change that heat maps depend on; None if there is
            a change. Calibrations of scores hold for a preset.
        visibility: whether the visibility of keypoints is computed, if the network tells it.
        trusted: whether a graph may have any operation. Points do not depend on it, so the text of a configuration,
            which resumable runs compare, leaves it out.
    """

    options: PredictionOptions
    scales: Tuple[WindowScale, ...]
    resolutions_hw: Tuple[Sequence[SizeHw], ...]
    maps: str = 'last'
    second_pass: Optional[str] = None
    second_scales: Tuple[WindowScale, ...] = (1.0,)
    windows: str = DEFAULT_TILING
    engine: Optional[str] = None
    preset: Optional[str] = None
    visibility: bool = True
    trusted: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class InferenceOptions(OptionGroup):
    """The flags of inference, as they are typed. `config` says what they mean for given networks.

    Attributes:
        preset: a name of PRESETS. An option below that is not None overrides the value of the preset.
        engine: a name of ENGINES; None: the ending of the file decides.
        inputsize, resolution, scales, second_scales: texts; see the help texts.
        windows, merge, maps, decode, assembly, second_pass: names; see the help texts.
        flip: whether the networks see the mirror image too.
        visibility: whether the visibility of keypoints is computed, if the network tells it.
        batch: images that go through the networks together.
        threads: threads of each network; 0: one for each core.
        trust_graph: whether a graph may have any operation.
    """

    preset: str = option(DEFAULT_PRESET, 'fast: one pass, with the fast supplied network if you have none of '
                         'your own. standard: the picture and its mirror image, and a second pass over the upright '
                         'garment. accurate: the same at two input sizes. original: six windows and their mirror '
                         'images, and the highest peaks, as in the original. Explicit flags override the preset '
                         '(default: %(default)s)', choices=tuple(PRESETS))
    trust_graph: bool = option(False, 'open a graph with any operation, also with operations that read and write '
                               'files: only for files of people you trust; see models/README.md')
    engine: Optional[str] = option(None, 'engine that computes the network; it opens the model that export.py wrote '
                                   'beside the graph (default: that of the ending of --modelpath, TensorFlow for .pb; '
                                   'predict.py, predict_many.py and serve.py: onnxruntime if its model is as exact)',
                                   choices=tuple(ENGINES), allowed=tuple(ENGINES))
    inputsize: Optional[str] = option(None, 'side of the square canvas in pixels (default: the longer side of the size '
                                      'that the first graph was trained at; 368 if the graph does not say it)')
    resolution: Optional[str] = option(
        None, 'input size of the network, WIDTHxHEIGHT; several with commas between them: one for each graph, or all '
        'for a single graph, whose heat maps are then averaged. Images are fitted into it. It is enlarged until it '
        f'differs from the trained size by a multiple of {PERIOD} (default: the size that each graph was trained '
        'at; 368x368 if the graph does not say it)')
    scales: Optional[str] = option(None, 'list of None, s, (s, step) or (cx, cy, s); at s = 1 the image just fits the '
                                   f'input (default: [1.0]; with --preset original {DEFAULT_SCALES})')
    windows: Optional[str] = option(
        None, 'exact: the windows of --scales. merged: overlapping windows of a scale become one, and the padding of '
        f'images that are not square is left out (default: {DEFAULT_TILING}; exact with --preset original)',
        choices=tuple(TILINGS), allowed=tuple(TILINGS))
    merge: Optional[str] = option(None, 'join windows by their maximum, as the original does (addup), or by their mean '
                                  '(average) (default: that of the preset)', choices=JOINS)
    maps: str = option(InferenceConfig.maps, 'heat maps of the last stage, or the mean of the last two stages '
                       '(default: %(default)s)', choices=tuple(OUTPUTS))
    decode: str = option(PredictionOptions.decode, 'how a point is read from its heat map (default: %(default)s)',
                         choices=tuple(DECODERS))
    assembly: Optional[str] = option(
        None, 'peaks: the highest peak of each heat map. paf: the peaks that the part affinity fields join best. '
        'shape: the peaks that together look most like a garment of the type (default: shape; peaks for own types, and '
        'with --preset original)',
        choices=ASSEMBLIES, allowed=ASSEMBLIES)
    second_pass: Optional[str] = option(None, 'how a second run of the network, on the upright garment, is joined with '
                                        f'the first; see docs/experiments.md (default: {HEATMAPS} with --preset '
                                        f'standard or accurate, but not for own types; else {NO_SECOND_PASS})',
                                        choices=(*SECOND_PASSES, NO_SECOND_PASS))
    second_scales: str = option('[1.0]', 'list of the scales of the second pass, which sees the upright garment alone '
                                '(default: %(default)s)')
    flip: Optional[bool] = option(None, 'run the network on the mirror image too (default, but not with --preset '
                                  'fast)',
                                  off='do not run it on the mirror image: half the time')
    visibility: bool = option(True, 'in predict.py and on the page: tell whether each point is visible, if the network '
                              'can (default)',
                              off='do not tell it: saves one pass, and that of the mirror image, if the type is '
                                  'given')
    batch: int = option(1, 'images that go through the network together (default: %(default)s)', parse=at_least(1))
    threads: int = option(0, 'threads of the network (default: one for each core)', parse=at_least(0, 1024))

    def config(self, trained_hws: Sequence[SizeHw], garments: Garments) -> InferenceConfig:
        """Returns what the options mean.

        Args:
            trained_hws: the input size (height, width) in pixels that each network was trained at.
            garments: the table of garment types that the networks serve.

        Raises InputError for a value that is not one.
        """
        config = self._config(trained_hws, garments)
        plain = InferenceOptions(preset=self.preset, windows=self.windows, engine=self.engine,
                                 visibility=self.visibility, trust_graph=self.trust_graph)
        unchanged = config == plain._config(trained_hws, garments)
        return replace(config, preset=ORIGINAL_NAMES.get(self.preset, self.preset) if unchanged else None)

    def _config(self, trained_hws: Sequence[SizeHw], garments: Garments) -> InferenceConfig:
        """Returns the configuration without the name of its preset."""
        preset = preset_named(self.preset)
        canvas_hw = size_hw(self.inputsize) if self.inputsize else (max(trained_hws[0]),) * 2
        if canvas_hw[0] != canvas_hw[1]:
            raise InputError(f'--inputsize {self.inputsize}: the canvas is a square, wanted one number such as 368')
        prediction = PredictionOptions(canvas_hw[0], preset.flip if self.flip is None else self.flip,
                                       self.merge or preset.join, self.decode, self._assembly(preset, garments))
        sizes = (_typed_sizes(self.resolution, len(trained_hws)) if self.resolution
                 else _preset_sizes(preset, trained_hws))
        return InferenceConfig(prediction, parse_scales(self.scales or preset.scales), sizes, self.maps,
                               self._second_pass(preset, garments), parse_scales(self.second_scales),
                               self.windows or preset.windows, self.engine, visibility=self.visibility,
                               trusted=self.trust_graph)

    def _assembly(self, preset: Preset, garments: Garments) -> str:
        """Returns the explicit assembly, or that of the preset if all types of the table have a mean shape."""
        return self.assembly or (preset.assembly if _have_shapes(garments) else PredictionOptions.assembly)

    def _second_pass(self, preset: Preset, garments: Garments) -> Optional[str]:
        """Returns the explicit second pass, or that of the preset if all types of the table have the mean shape that
        it needs. With fields, which are not joined, the preset's heat maps give way to points."""
        if self.second_pass is None and not _have_shapes(garments):
            return None
        name = preset.second_pass if self.second_pass is None else self.second_pass
        if name == HEATMAPS and self.assembly == 'paf':
            if self.second_pass is None:
                return 'agree'
            raise InputError('--assembly paf does not go with --second-pass heatmaps, which joins no fields: wanted '
                             '--second-pass agree')
        return None if name == NO_SECOND_PASS else name


def _have_shapes(garments: Garments) -> bool:
    """Returns whether all types of a table have the mean shape that a second pass and `--assembly shape` need."""
    return all(map(has_shape, garments.values()))


def preset_named(name: str) -> Preset:
    """Returns the preset of that name; the names of `--look` are known too. Raises InputError for another name."""
    name = ORIGINAL_NAMES.get(name, name)
    if name not in PRESETS:
        raise InputError(f'unknown preset {name!r}: wanted one of {", ".join(PRESETS)}')
    return PRESETS[name]


def _typed_sizes(text: str, networks: int) -> Tuple[Tuple[SizeHw, ...], ...]:
    """Returns for each network the input sizes (height, width) of --resolution."""
    sizes = tuple(size_hw(one) for one in text.split(','))
    if networks == 1:
        return (sizes,)
    if len(sizes) not in (1, networks):
        raise InputError(f'--resolution names {len(sizes)} sizes for {networks} graphs: wanted one for all, or one for '
                         'each')
    return tuple((size,) for size in sizes * (networks // len(sizes)))


def _preset_sizes(preset: Preset, trained_hws: Sequence[SizeHw]) -> Tuple[Tuple[SizeHw, ...], ...]:
    """Returns for each network the input sizes (height, width) of a preset."""
    return tuple(tuple(dict.fromkeys(_scaled(trained, factor) for factor in preset.input_sizes))
                 for trained in trained_hws)


def _scaled(trained: SizeHw, factor: Fraction) -> SizeHw:
    """Returns a size times about the factor. The difference is a multiple of PERIOD, so that cells stay in their
    places."""
    height, width = (side + int((factor - 1) * side / PERIOD) * PERIOD for side in trained)
    return height, width
