"""What a user can change in a network's head: flags of train.py, kept in run.json, read again by freeze.py."""
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, Mapping, Optional

STAGES = range(1, 7)
ON_OFF = ('on', 'off')
STRIDES = (8, 4, 2)
UPSAMPLINGS = ('transposed', 'bilinear')
JOINT, FROZEN = REFINES = ('joint', 'frozen')
REFINED_STRIDE = 4
"""Input pixels a cell of the maps that a refine net gives."""


@dataclass(frozen=True)
class HeadOptions:
    """The defaults leave a network as the catalogue has it.

    `stages`: their number, 1 to 6. `pyramid`: 'on' joins features of other strides to the trunk's own. `stride`: input
    pixels a cell of the maps; 4 and 2 take `upsampling` before the stages, a name of UPSAMPLINGS, the first of them
    where it is None. `factorised`: three 3x3 layers in place of each 7x7 one of the stages. `refine`: a refine net
    after the last stage, which gives maps of REFINED_STRIDE; 'joint' trains it with all before it, 'frozen' alone.
    """

    stages: Optional[int] = None
    pyramid: Optional[str] = None
    stride: int = 8
    upsampling: Optional[str] = None
    factorised: bool = False
    refine: Optional[str] = None

    def __post_init__(self) -> None:
        for name, choices in (('stages', STAGES), ('pyramid', ON_OFF), ('stride', STRIDES),
                              ('upsampling', UPSAMPLINGS), ('refine', REFINES)):
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise ValueError(f'--{name} {value}: wanted one of {", ".join(map(str, choices))}')
        if self.upsampling and self.stride == STRIDES[0]:
            raise ValueError(f'--upsampling {self.upsampling} has nothing to do at --stride {self.stride}: '
                             f'wanted one of {", ".join(map(str, STRIDES[1:]))}')
        if self.refine and self.stride != STRIDES[0]:
            raise ValueError(f'--refine {self.refine} with --stride {self.stride}: the refine net itself brings maps '
                             f'from stride {STRIDES[0]} to {REFINED_STRIDE}, wanted --stride {STRIDES[0]}')
        if self.factorised and self.stages == 1:
            raise ValueError('--factorised has nothing to do at --stages 1, which has no 7x7 layers: wanted 2 or more')

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> 'HeadOptions':
        """From parsed flags, or from what run.json says: of a mapping, the values that are head options."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    @property
    def changes(self) -> Dict[str, Any]:
        """The options that are not at their defaults, by name."""
        defaults = asdict(HeadOptions())
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @property
    def label(self) -> str:
        """What a run's name gains: `_stages:3_stride:4`, '' where nothing is changed."""
        return ''.join(f'_{name}:{value}' for name, value in self.changes.items())


UNCHANGED = HeadOptions()
