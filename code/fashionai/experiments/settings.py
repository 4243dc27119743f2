"""The table of all settings that are compared, and the budget that their trainings share."""
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import List, Mapping, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, SUPPLIED
from fashionai.inference.config import DEFAULT_PRESET, PRESETS
from fashionai.inference.second_pass import SECOND_PASSES
from fashionai.inference.windows import DEFAULT_SCALES
from fashionai.option_group import OptionGroup, at_least, flag_name, option

Flags = Tuple[str, ...]

BASELINE = 'baseline'
"""The setting with the budget alone, which trainings are compared with."""

_SHORTER = 6
"""The number by which the steps are divided if a training starts from weights for garments."""


@dataclass(frozen=True)
class Setting:
    """One setting: what it changes, and which products of other settings it uses.

    name: its name. group: its group in the table; a setting without a group has no row, it only serves other settings.
    train, run, freeze: flags of the entry points. They come after the flags of the budget and override them. In them,
    `{PRODUCT:NAME}` or `{PRODUCT:NAME/SEED}` stands for the path of another setting's product, see `recipes.PRODUCTS`;
    without a seed, the same seed is meant. uses: the settings (NAME or NAME/SEED) whose networks process an image; if
    there are any, nothing is trained. network: a name of default_model.SUPPLIED_NETWORKS, whose network processes an
    image; then nothing is trained, and the seed is 0. preset: the preset of run.py; '': one window with padding and its
    mirror image, and the highest peaks. script: a program that makes the submission instead of run.py, with only the
    flags `run`. batch: images per step, 0: those of the budget; the number of images in training does not change.
    start: flags of train.py for a training from weights for garments: the weights, and what goes with them. Such a
    training has fewer steps, see `divisor`.
    slower: how many times as long as a step of the baseline one of its steps takes, at the budget's size; it has so
    many times fewer steps. parts: the number of trainings that share the steps. seeds: the seeds to run. against: the
    setting to compare with.
    """

    name: str
    group: str
    train: Flags = ()
    run: Flags = ()
    freeze: Flags = ()
    uses: Tuple[str, ...] = ()
    network: str = ''
    preset: str = ''
    script: str = ''
    batch: int = 0
    start: Flags = ()
    slower: int = 1
    parts: int = 1
    seeds: Tuple[int, ...] = (1,)
    against: str = BASELINE

    @property
    def divisor(self) -> int:
        """The number by which the steps of the budget are divided."""
        return self.slower * self.parts * (_SHORTER if self.start else 1)

    @property
    def is_reference(self) -> bool:
        """Whether it is compared with no other setting."""
        return self.against == self.name

    @property
    def flags(self) -> str:
        """All flags that it changes, as one text."""
        first = ((self.script,) if self.script else ()) + (('--batchsize', str(self.batch)) if self.batch else ())
        preset = ('--preset', self.preset) if self.preset else ()
        return ' '.join(text or "''" for text in first + self.start + self.train + self.freeze + preset + self.run)


@dataclass(frozen=True)
class Budget(OptionGroup):
    """The budget of every training, unless the flags of a setting override it. The size is in input pixels."""

    model: str = option('efficientnet_lite0', 'network')
    steps: int = option(3750, 'number of training steps', parse=at_least(0))
    batchsize: int = option(16, 'images per step; a setting with another number has as many images in training',
                            parse=at_least(0))
    size: int = option(192, 'width and height of the network input in pixels', parse=at_least(0))
    lr: str = option('cosine:1e-3', 'learning rate: cosine:RATE, which falls to 0, or one number')
    warmup_steps: int = option(50, 'number of first steps in which the learning rate increases to its value',
                               parse=at_least(0))

    def __post_init__(self) -> None:
        super().__post_init__()
        if ',' in self.lr:
            raise InputError(f'--lr {self.lr}: wanted one rate, or cosine:RATE')

    def train_flags(self, setting: Setting) -> Flags:
        """Returns flags of train.py. The steps of a setting are fewer if each takes longer or has more images."""
        batch = setting.batch or self.batchsize
        steps, warmup = (number * self.batchsize // (batch * setting.divisor)
                         for number in (self.steps, self.warmup_steps))
        return ('--model', self.model, '--tag', 'all', '--batchsize', str(batch), '--gpus', '1',
                '--input-width', str(self.size), '--input-height', str(self.size), '--lr', self.lr,
                '--max-steps', str(max(1, steps)), '--workers', '1', '--validate-every', '0', '--save-every', '100',
                '--keep', '1', '--warmup-steps', str(warmup), *setting.start)

    @property
    def changed_flags(self) -> Flags:
        """The flags of experiments.py that change the default budget to this one."""
        return tuple(text for name, value in self.changes.items() for text in (flag_name(name), str(value)))


_VGG_SLOWER, _RESNET_SLOWER = 14, 16
"""How many times as long as a step of the baseline one step takes, at 192 pixels: measured for VGG, whose stages have
7x7 layers, and for the others estimated from it by their operations."""

_GENTLE = ('--lr', 'cosine:1e-4')
"""The learning rate for stages with 7x7 layers without batch norm."""


def _networks() -> List[Setting]:
    """Every network with two stages, so that the backbones are compared."""
    scratch = ('--pretrain_path', '')
    networks: List[Tuple[str, Flags, int]] = [
        ('efficientnet_lite0', (), 1), ('efficientnet_lite2', (), 2), ('movenet_thunder', (), 2),
        ('mobilenet_100', (), 1), ('mobilenet_075', (), 1), ('mobilenet_050', (), 1), ('mobilenet_thin', (), 1),
        ('mobilenet_small', scratch, 1), ('dsconv', (), 1), ('vgg16', _GENTLE, _VGG_SLOWER),
        ('vgg', ('--pretrain_path', 'hed') + _GENTLE, _VGG_SLOWER), ('seresnet50', scratch + _GENTLE, _RESNET_SLOWER),
        ('seresnext50', scratch + _GENTLE, _RESNET_SLOWER)]
    supplied = ('--model', 'mobilenet_small', '--stages', '3', '--pretrain_path', 'synthetic_mobilenet_small.npz')
    return [Setting(name, 'networks', ('--model', name, '--stages', '2') + flags, slower=slower,
                    against='efficientnet_lite0') for name, flags, slower in networks] + [
        Setting('efficientnet_lite0-scratch', 'networks', ('--stages', '2') + scratch, against='efficientnet_lite0'),
        Setting('mobilenet_small-supplied', 'networks', supplied, against='mobilenet_small')]


def _heads() -> List[Setting]:
    return [
        Setting('stages-1', 'head', ('--stages', '1')),
        Setting('stages-2', 'head', ('--stages', '2'), uses=('efficientnet_lite0',)),
        Setting('stages-6', 'head', ('--stages', '6')),
        Setting('no-pyramid', 'head', ('--pyramid', 'off')),
        Setting('stride-4-transposed', 'head', ('--stride', '4', '--upsampling', 'transposed')),
        Setting('stride-4-bilinear', 'head', ('--stride', '4', '--upsampling', 'bilinear')),
        Setting('stride-2-transposed', 'head', ('--stride', '2', '--upsampling', 'transposed'), slower=7),
        Setting('vgg16-factorised', 'head', ('--model', 'vgg16', '--stages', '2', '--factorised') + _GENTLE,
                slower=12, against='vgg16')]


def _batches() -> List[Setting]:
    return [Setting(f'batch-{size}', 'batch size', batch=size) for size in (8, 32)]


def _losses() -> List[Setting]:
    return [
        Setting('focal', 'losses', ('--loss', 'focal')),
        Setting('weights-frequency', 'losses', ('--keypoint-weights', 'frequency')),
        Setting('weights-errors', 'losses', ('--keypoint-weights', '{scores:baseline}')),
        Setting('hard-keypoints', 'losses', ('--hard-keypoints', '3')),
        Setting('occluded-counted', 'losses', ('--occluded', 'counted'))]


def _sampling() -> List[Setting]:
    again = ('--checkpoint', '{checkpoint:baseline}')
    return [
        Setting('more-training', 'sampling', again),
        Setting('hard-retrain', 'sampling', again + ('--sampling', '{errors:baseline}'), against='more-training')]


def _joint() -> List[Setting]:
    """One network per type, each with a fifth of the steps, compared with one network for all types."""
    single = [Setting(f'only-{tag}', '', ('--tag', tag), ('--tag', tag), parts=len(GARMENTS)) for tag in GARMENTS]
    return single + [Setting('network-per-type', 'joint', run=tuple(f'{{submission:{one.name}}}' for one in single),
                             uses=(single[0].name,), script='submit/merge.py', parts=len(GARMENTS))]


def _refined() -> List[Setting]:
    return [Setting('refine-joint', 'refine', ('--refine', 'joint')),
            Setting('refine-frozen', 'refine', ('--refine', 'frozen', '--checkpoint', '{checkpoint:baseline}'),
                    against='more-training')]


def _ensembles() -> List[Setting]:
    seeds = ('baseline/1', 'baseline/2')
    return [Setting('ensemble-strides', 'ensemble', uses=('baseline', 'stride-4-bilinear')),
            Setting('ensemble-seeds', 'ensemble', uses=seeds),
            Setting('combined-csv', 'ensemble', run=tuple(f'{{submission:{one}}}' for one in seeds), uses=seeds,
                    script='submit/combine.py')]


def _from_garments() -> List[Setting]:
    """Short trainings from weights for garments: fine-tuning of a whole network, and new heads on its backbone.

    The focal loss needs a new head, because the old one's maps are not logits.
    """
    weights = ('--pretrain_path', 'photographs_efficientnet_lite0.npz')
    fine = Setting('fine', 'fine-tuning', start=weights + ('--lr', 'cosine:4e-4'), seeds=(1, 2, 3), against='fine')
    fresh = Setting('fresh', 'fresh heads', start=weights + ('--fresh-head',), seeds=(1, 2, 3), against='fresh')

    def like(first: Setting, one: Setting) -> Setting:
        train = tuple(text.replace(':baseline}', f':{first.name}}}') for text in one.train)
        return replace(one, name=f'{first.name}-{one.name}', group=first.group, start=first.start,
                       train=train, uses=(), against=first.name)

    focal, *losses = _losses()
    again = Setting('hard-retrain', '', ('--sampling', '{errors:baseline}'))
    refined, *_ = _refined()
    return [fine, *(like(fine, one) for one in (*losses, again, *_batches(), refined)),
            fresh, *(like(fresh, one) for one in (*_heads(), focal) if one.slower == 1)]


def _supplied() -> List[Setting]:
    """The supplied network, and ways to use it that each differ from the first in one thing."""
    def supplied(name: str, group: str, *flags: str, preset: str = '', network: str = SUPPLIED,
                 against: str = SUPPLIED) -> Setting:
        return Setting(name, group, run=flags, network=network, preset=preset, seeds=(0,), against=against)
    return [
        supplied(SUPPLIED, SUPPLIED), supplied('maps-mean', 'output', '--maps', 'mean'),
        *(supplied(f'decode-{way}', 'output', '--decode', way) for way in ('plain', 'quarter', 'bicubic', 'dark')),
        *(supplied(f'assembly-{way}', 'output', '--assembly', way) for way in ('paf', 'shape')),
        supplied('no-flip', 'windows', '--no-flip'), supplied('no-padding', 'windows', '--windows', 'merged'),
        supplied('six-windows', 'windows', '--windows', 'merged', '--scales', DEFAULT_SCALES),
        *(supplied(f'second-pass-{way}', 'second pass', '--second-pass', way) for way in SECOND_PASSES),
        *(supplied(f'input-{size}', 'input size', '--resolution', f'{size}x{size}') for size in (320, 384)),
        supplied('input-288-384', 'input size', '--resolution', '288x288,384x384'),
        *(supplied(f'preset-{name}', 'presets', preset=name, network=preset.network,
                   against=SUPPLIED if name == DEFAULT_PRESET else f'preset-{DEFAULT_PRESET}')
          for name, preset in PRESETS.items())]


SETTINGS: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in (
    Setting(BASELINE, BASELINE, seeds=(1, 2, 3)), *_networks(), *_heads(), *_batches(), *_losses(), *_sampling(),
    *_joint(), *_refined(), *_ensembles(), *_from_garments(), *_supplied())})
"""All settings by name, in the order in which they run."""


def chosen(settings: Mapping[str, Setting], names: Sequence[str]) -> List[Setting]:
    """Returns the settings with these names or groups, in the order of the table; without names, all that have rows.

    Raises InputError for a name that is neither a setting nor a group.
    """
    listed = [setting for setting in settings.values() if setting.group]
    known = {setting.name for setting in listed} | {setting.group for setting in listed}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f'--only {unknown[0]}: this is not a setting or a group; --list prints them')
    return [setting for setting in listed if not names or setting.name in names or setting.group in names]
