"""What every group of flags shares that a run remembers: which of them a user changed, and a name for that."""
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Collection, Dict, Mapping, Type, TypeVar

from fashionai.errors import InputError

_Any = TypeVar('_Any', bound='OptionGroup')


@dataclass(frozen=True)
class OptionGroup:
    """Base of frozen dataclasses of flags, each field with a default; run.json keeps what differs from the defaults."""

    @classmethod
    def of(cls: Type[_Any], values: Mapping[str, Any]) -> _Any:
        """From parsed flags, or from what run.json says: of a mapping, the values that are fields of this group."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})

    @property
    def changes(self) -> Dict[str, Any]:
        """The options that are not at their defaults, by name."""
        defaults = asdict(type(self)())
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @property
    def label(self) -> str:
        """What a run's name gains: `_stages:3_stride:4`, '' where nothing is changed; of a file, its bare name."""
        return ''.join(f'_{name}:{Path(value).stem if isinstance(value, str) else value}'
                       for name, value in self.changes.items())

    def check(self, **wanted: Collection[Any]) -> None:
        """Raises InputError, naming flag and choices, where a field is neither None nor among its choices."""
        for name, choices in wanted.items():
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise InputError(f'--{name.replace("_", "-")} {value}: wanted one of {", ".join(map(str, choices))}')
