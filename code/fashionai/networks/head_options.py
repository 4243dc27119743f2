"""The flags of train.py that change a network's head. run.json keeps them, and freeze.py reads them there."""
from dataclasses import dataclass
from typing import Optional, Tuple

from fashionai.errors import InputError
from fashionai.garments.table import JOINT, Garment
from fashionai.option_group import OptionGroup, at_least, option

STAGES = range(1, 7)
ON_OFF = ('on', 'off')
STRIDES = (8, 4, 2)
UPSAMPLINGS = ('transposed', 'bilinear')
FROZEN = 'frozen'
REFINES = ('joint', FROZEN)
ALONG, APART = TYPE_HEADS = ('along', 'apart')
BACKBONE_STRIDE = STRIDES[0]
"""Input pixels for each cell of the features of every backbone. The sides of an input are multiples of it."""

PERIOD = 32
"""Input sizes suit a network if they differ from its trained size by multiples of this many pixels, the coarsest stride
of the features. A layer of stride 2 pads an odd number of cells at another side than an even number, which shifts all
coarser cells: by 8 pixels at stride 16. A network has learned the places of its trained size. So a window of another
size is widened to the next size that suits. At 368x368 an earlier supplied network, trained at 256x256, had an NE
`visible` of 11.5 on 40 photographs without this rule, and has 10.1 with it."""

REFINED_STRIDE = 4
"""Input pixels for each cell of the maps that a refine net gives."""


def check_suits(size_hw: Tuple[int, int], trained_hw: Tuple[int, int], place: str) -> None:
    """Raises InputError, naming the place, if an input size (height, width) does not suit a network; see PERIOD."""
    if any((side - trained) % PERIOD for side, trained in zip(size_hw, trained_hw)):
        sizes = ['x'.join(map(str, size[::-1])) for size in (size_hw, trained_hw)]
        raise InputError(f'{place}: an input of {sizes[0]} shifts the cells of a network for {sizes[1]}, and so its '
                         f'points: wanted a size that differs from {sizes[1]} by a multiple of {PERIOD} pixels')


@dataclass(frozen=True)
class HeadOptions(OptionGroup):
    """The flags of a network's head. The defaults leave a network as the catalog has it.

    Attributes:
        stages: their number, 1 to 6.
        pyramid: 'on' joins features of other strides to those of the backbone.
        stride: input pixels for each cell of the maps; at 4 and 2 an `upsampling` comes before the stages.
        upsampling: a name of UPSAMPLINGS; None: the first of them.
        factorised: three 3x3 layers replace each 7x7 layer of the stages.
        refine: adds a refine net after the last stage, which gives maps of REFINED_STRIDE; 'joint' trains it with all
            layers before it, 'frozen' trains it alone.
        type_head: the network of all types also predicts the garment type; 'along' trains the backbone for this too,
            'apart' trains the backbone for the maps alone.
    """

    stages: Optional[int] = option(None, 'number of stages, 1 to 6; default: that of the network', parse=at_least(1),
                                   allowed=STAGES)
    pyramid: Optional[str] = option(None, 'on or off: join features of other strides; default: that of the network',
                                    allowed=ON_OFF)
    stride: int = option(8, 'input pixels for each cell of the maps: 8, 4 or 2', parse=at_least(1), allowed=STRIDES)
    upsampling: Optional[str] = option(None, 'transposed or bilinear: upsampling before the stages at --stride 4 or 2; '
                                       'default: transposed', allowed=UPSAMPLINGS)
    factorised: bool = option(False, 'replace each 7x7 layer of the stages by three 3x3 layers')
    refine: Optional[str] = option(None, 'joint or frozen: add a refine net after the stages, which brings the maps to '
                                   'stride 4; joint trains it with the stages; frozen trains it alone, and the network '
                                   'of --checkpoint stays as it is', allowed=REFINES)
    type_head: Optional[str] = option(None, 'along or apart: with --tag all, also predict the garment type; along '
                                      'trains the backbone for the types too, apart for the maps alone',
                                      allowed=TYPE_HEADS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.upsampling and self.stride == BACKBONE_STRIDE:
            raise InputError(f'--upsampling {self.upsampling} has nothing to do at --stride {self.stride}: '
                             f'wanted one of {", ".join(map(str, STRIDES[1:]))}')
        if self.refine and self.stride != BACKBONE_STRIDE:
            raise InputError(f'--refine {self.refine} with --stride {self.stride}: the refine net itself brings maps '
                             f'from stride {BACKBONE_STRIDE} to {REFINED_STRIDE}, wanted --stride {BACKBONE_STRIDE}')
        if self.factorised and self.stages == 1:
            raise InputError('--factorised has nothing to do at --stages 1, which has no 7x7 layers: wanted 2 or more')

    def check_garment(self, garment: Garment) -> None:
        """Raises InputError if the head does not suit the garment."""
        if self.type_head and garment.name != JOINT:
            raise InputError(f'--type-head {self.type_head}: a network for {garment.name} alone has only one type: '
                             f'wanted --tag {JOINT}')


UNCHANGED = HeadOptions()
