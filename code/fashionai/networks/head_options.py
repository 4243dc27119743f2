"""What a user can change in a network's head: flags of train.py, kept in run.json, read again by freeze.py."""
from dataclasses import dataclass
from typing import Optional

from fashionai.errors import InputError
from fashionai.garments.table import JOINT as ALL_TYPES
from fashionai.garments.table import Garment
from fashionai.option_group import OptionGroup

STAGES = range(1, 7)
ON_OFF = ('on', 'off')
STRIDES = (8, 4, 2)
UPSAMPLINGS = ('transposed', 'bilinear')
JOINT, FROZEN = REFINES = ('joint', 'frozen')
ALONG, APART = TYPE_HEADS = ('along', 'apart')
BACKBONE_STRIDE = STRIDES[0]
"""Of every trunk: input pixels a cell of its features, and what every input must be a multiple of."""

REFINED_STRIDE = 4
"""Input pixels a cell of the maps that a refine net gives."""


@dataclass(frozen=True)
class HeadOptions(OptionGroup):
    """The defaults leave a network as the catalogue has it.

    `stages`: their number, 1 to 6. `pyramid`: 'on' joins features of other strides to the trunk's own. `stride`: input
    pixels a cell of the maps; 4 and 2 take `upsampling` before the stages, a name of UPSAMPLINGS, the first of them
    where it is None. `factorised`: three 3x3 layers in place of each 7x7 one of the stages. `refine`: a refine net
    after the last stage, which gives maps of REFINED_STRIDE; 'joint' trains it with all before it, 'frozen' alone.
    `type_head`: the joint network of all types also tells the garment's; 'along' trains the trunk for it too, 'apart'
    leaves the trunk to the maps.
    """

    stages: Optional[int] = None
    pyramid: Optional[str] = None
    stride: int = 8
    upsampling: Optional[str] = None
    factorised: bool = False
    refine: Optional[str] = None
    type_head: Optional[str] = None

    def __post_init__(self) -> None:
        self.check(stages=STAGES, pyramid=ON_OFF, stride=STRIDES, upsampling=UPSAMPLINGS, refine=REFINES,
                   type_head=TYPE_HEADS)
        if self.upsampling and self.stride == BACKBONE_STRIDE:
            raise InputError(f'--upsampling {self.upsampling} has nothing to do at --stride {self.stride}: '
                             f'wanted one of {", ".join(map(str, STRIDES[1:]))}')
        if self.refine and self.stride != BACKBONE_STRIDE:
            raise InputError(f'--refine {self.refine} with --stride {self.stride}: the refine net itself brings maps '
                             f'from stride {BACKBONE_STRIDE} to {REFINED_STRIDE}, wanted --stride {BACKBONE_STRIDE}')
        if self.factorised and self.stages == 1:
            raise InputError('--factorised has nothing to do at --stages 1, which has no 7x7 layers: wanted 2 or more')

    def check_garment(self, garment: Garment) -> None:
        """Raises InputError where the head has nothing to do for the garment."""
        if self.type_head and garment.name != ALL_TYPES:
            raise InputError(f'--type-head {self.type_head}: a network for {garment.name} alone has no types to tell '
                             f'apart, wanted --tag {ALL_TYPES}')


UNCHANGED = HeadOptions()
