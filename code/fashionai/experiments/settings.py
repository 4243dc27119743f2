"""The table of all settings that are compared, and the budget that they share."""
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, List, Mapping, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.inference.windows import DEFAULT_SCALES

Flags = Tuple[str, ...]


def _flag(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={'help': help_text})


@dataclass(frozen=True)
class Budget:
    """The budget of every setting, unless its own flags override it. The size is in input pixels."""

    model: str = _flag('efficientnet_lite0', 'network')
    steps: int = _flag(150, 'number of training steps')
    batchsize: int = _flag(16, 'images per step')
    size: int = _flag(128, 'width and height of the network input in pixels')
    lr: str = _flag('1e-3,3e-4', 'learning rate, or a comma list of learning rates')
    decay_steps: int = _flag(110, 'number of steps after which the learning rate changes')
    warmup_steps: int = _flag(30, 'number of first steps in which the learning rate increases to its value')

    def train_flags(self, parts: int) -> Flags:
        """Returns flags of train.py; the steps are divided by `parts`."""
        return ('--model', self.model, '--tag', 'all', '--batchsize', str(self.batchsize), '--gpus', '1',
                '--input-width', str(self.size), '--input-height', str(self.size), '--lr', self.lr,
                '--max-steps', str(max(1, self.steps // parts)), '--workers', '1', '--validate-every', '0',
                '--decay-steps', str(max(1, self.decay_steps // parts)), '--save-every', '100', '--keep', '1',
                '--warmup-steps', str(self.warmup_steps // parts))

    def run_flags(self) -> Flags:
        """Returns flags of run.py: one window with padding, its mirror image, and the highest peaks."""
        return ('--test', 'validate', '--tag', 'all', '--inputsize', str(self.size),
                '--resolution', f'{self.size}x{self.size}', '--scales', '[1.0]', '--windows', 'exact',
                '--assembly', 'peaks', '--batch', str(self.batchsize))

    def changes(self) -> Flags:
        """Returns the flags of experiments.py that change the default budget to this one."""
        usual = Budget()
        names = [item.name for item in fields(self) if getattr(self, item.name) != getattr(usual, item.name)]
        return tuple(text for name in names for text in (f'--{name.replace("_", "-")}', str(getattr(self, name))))


@dataclass(frozen=True)
class Setting:
    """One setting: what it changes, and which products of other settings it uses.

    name: its name. group: its group in the table; a setting without a group has no row, it only serves other settings.
    train, run, freeze: flags of the entry points. They come after the flags of the budget and override them. In them,
    `{PRODUCT:NAME}` or `{PRODUCT:NAME/SEED}` stands for the path of another setting's product, see `recipes.PRODUCTS`;
    without a seed, the same seed is meant. uses: the settings (NAME or NAME/SEED) whose networks process an image; if
    there are any, nothing is trained. script: a program that makes the submission instead of run.py, with only the
    flags `run`. parts: the steps of the budget are divided by this number. seeds: the seeds to run. against: the
    setting to compare with.
    """

    name: str
    group: str
    train: Flags = ()
    run: Flags = ()
    freeze: Flags = ()
    uses: Tuple[str, ...] = ()
    script: str = ''
    parts: int = 1
    seeds: Tuple[int, ...] = (1,)
    against: str = 'baseline'

    @property
    def flags(self) -> str:
        """All flags that it changes, as one text."""
        script = (self.script,) if self.script else ()
        return ' '.join(text or "''" for text in script + self.train + self.freeze + self.run)


_HEAVY = 6
"""Networks with 7x7 stages get a sixth of the steps, because each step takes about ten times as long."""

_GENTLE = ('--lr', '1e-4,3e-5')
"""The learning rates for stages with 7x7 layers without batch norm."""


def _networks() -> List[Setting]:
    """Every network with two stages, so that the backbones are compared."""
    scratch = ('--pretrain_path', '')
    light = [('efficientnet_lite0', ()), ('mobilenet_100', ()), ('mobilenet_075', ()), ('mobilenet_050', ()),
             ('mobilenet_thin', ()), ('mobilenet_small', scratch), ('dsconv', ())]
    heavy = [('vgg16', ()), ('vgg', ('--pretrain_path', 'hed')), ('seresnet50', scratch), ('seresnext50', scratch)]
    supplied = ('--model', 'mobilenet_small', '--stages', '3', '--pretrain_path', 'synthetic_mobilenet_small.npz')
    return [Setting(name, 'networks', ('--model', name, '--stages', '2') + flags, against='efficientnet_lite0')
            for name, flags in light] + [
        Setting('efficientnet_lite0-scratch', 'networks', ('--stages', '2') + scratch, against='efficientnet_lite0'),
        Setting('mobilenet_small-supplied', 'networks', supplied, against='mobilenet_small')] + [
        Setting(name, 'networks', ('--model', name, '--stages', '2') + flags + _GENTLE, parts=_HEAVY,
                against='efficientnet_lite0') for name, flags in heavy]


def _heads() -> List[Setting]:
    return [
        Setting('stages-1', 'head', ('--stages', '1')),
        Setting('stages-2', 'head', uses=('efficientnet_lite0',)),
        Setting('stages-6', 'head', ('--stages', '6')),
        Setting('no-pyramid', 'head', ('--pyramid', 'off')),
        Setting('stride-4-transposed', 'head', ('--stride', '4', '--upsampling', 'transposed')),
        Setting('stride-4-bilinear', 'head', ('--stride', '4', '--upsampling', 'bilinear')),
        Setting('stride-2-transposed', 'head', ('--stride', '2', '--upsampling', 'transposed')),
        Setting('vgg16-factorised', 'head', ('--model', 'vgg16', '--stages', '2', '--factorised') + _GENTLE,
                parts=_HEAVY, against='vgg16')]


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


def _outputs() -> List[Setting]:
    def changed(name: str, group: str, *flags: str) -> Setting:
        return Setting(name, group, run=flags, uses=('baseline',))
    return [changed('maps-mean', 'output', '--maps', 'mean'),
            *(changed(f'decode-{way}', 'output', '--decode', way) for way in ('plain', 'quarter', 'bicubic', 'dark')),
            *(changed(f'assembly-{way}', 'output', '--assembly', way) for way in ('paf', 'shape')),
            changed('no-flip', 'output', '--no-flip'),
            changed('six-windows', 'output', '--scales', DEFAULT_SCALES),
            changed('second-pass-replace', 'second pass', '--second-pass', 'replace'),
            changed('second-pass-average', 'second pass', '--second-pass', 'average')]


def _refined() -> List[Setting]:
    return [Setting('refine-joint', 'refine', ('--refine', 'joint')),
            Setting('refine-frozen', 'refine', ('--refine', 'frozen', '--checkpoint', '{checkpoint:baseline}'),
                    against='more-training')]


def _ensembles() -> List[Setting]:
    seeds = ('baseline/1', 'baseline/2')
    return [Setting('ensemble-strides', 'ensemble', uses=('baseline', 'stride-4-bilinear')),
            Setting('ensemble-seeds', 'ensemble', uses=seeds),
            Setting('ensemble-sizes', 'ensemble', run=('--resolution', '128x128,192x192'),
                    uses=('baseline', 'baseline')),
            Setting('combined-csv', 'ensemble', run=tuple(f'{{submission:{one}}}' for one in seeds), uses=seeds,
                    script='submit/combine.py')]


SETTINGS: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in (
    Setting('baseline', 'baseline', seeds=(1, 2, 3)), *_networks(), *_heads(), *_losses(), *_sampling(), *_joint(),
    *_outputs(), *_refined(), *_ensembles())})
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
