"""Flags as fields of dataclasses: each field has the name, the default, the help text and the check of its flag."""
import argparse
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Callable, Collection, Dict, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar

from fashionai.errors import InputError

MOST = 2 ** 31 - 1
"""The largest whole number of a flag: libraries count in 32 bits."""

_FLAG = 'flag'
"""Key of a field's metadata."""

_Any = TypeVar('_Any', bound='OptionGroup')


@dataclass(frozen=True)
class Flag:
    """What a flag has besides its default.

    Attributes:
        help: text of --help.
        parse: makes the value of the typed text; by default a float default makes a float, and any other text stays.
        choices: values that argparse accepts and lists in --help; for another the exit code is 2.
        allowed: values that the group accepts, also from run.json; for another it raises InputError, exit code 1.
        names: values that are accepted beside the path of a file.
        metavar: stands for the value in --help.
        name: the flag; by default `--` and the field's name with `-` for `_`.
        off: help text of `--no-<name>`; the flag is then True, False or, if neither is typed, its default.
    """

    help: str
    parse: Optional[Callable[[str], Any]] = None
    choices: Optional[Collection[Any]] = None
    allowed: Optional[Collection[Any]] = None
    names: Sequence[str] = ()
    metavar: Optional[str] = None
    name: str = ''
    off: str = ''

    def add_to(self, place: 'argparse._ActionsContainer', field_name: str, default: Any,
               find: Callable[[str], Path]) -> None:
        """Add the flag to a parser, or to a group of one. `find` is that of `OptionGroup.add_flags`."""
        name = self.name or flag_name(field_name)
        if default is False or self.off:
            place.add_argument(name, dest=field_name, action='store_true', default=default, help=self.help)
        else:
            place.add_argument(name, dest=field_name, default=default, choices=self.choices, metavar=self.metavar,
                               type=self._type(default, find), help=self.help)
        if self.off:
            place.add_argument(f'--no-{name[2:]}', dest=field_name, action='store_false', help=self.off)

    def _type(self, default: Any, find: Callable[[str], Path]) -> Callable[[str], Any]:
        if self.names:
            return name_or_file(self.names, find)
        return self.parse or (float if isinstance(default, float) else str)


def option(default: Any, help: str, **facts: Any) -> Any:
    """Returns a field of an OptionGroup for a flag with that default; `help` and `facts` are those of Flag."""
    return field(default=default, metadata={_FLAG: Flag(help, **facts)})


@dataclass(frozen=True)
class OptionGroup:
    """Base of frozen dataclasses of flags, one `option` for each field. run.json keeps what differs from the defaults.

    Raises InputError if a value is neither None nor allowed; it names the flag and what is allowed.
    """

    def __post_init__(self) -> None:
        for item in fields(self):
            value, flag = getattr(self, item.name), item.metadata[_FLAG]
            if value is not None and flag.allowed and value not in flag.allowed:
                raise InputError(f'{flag.name or flag_name(item.name)} {value}: wanted one of '
                                 f'{", ".join(map(str, flag.allowed))}')

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser, title: str = '', only: Collection[str] = (),
                  find: Callable[[str], Path] = Path) -> 'argparse._ActionsContainer':
        """Add the flags of the group to a parser.

        Args:
            parser: takes the flags.
            title: heading of the flags in --help; without it they have no heading of their own.
            only: names of the fields whose flags are added; by default all.
            find: returns the file that a typed path means, or raises InputError.

        Returns what the flags were added to.
        """
        place: argparse._ActionsContainer = parser.add_argument_group(title) if title else parser
        for item in fields(cls):
            if not only or item.name in only:
                item.metadata[_FLAG].add_to(place, item.name, item.default, find)
        return place

    @classmethod
    def of(cls: Type[_Any], values: Mapping[str, Any]) -> _Any:
        """Returns the group that parsed flags, or a part of run.json, give. Other values of the mapping are ignored."""
        return cls(**{item.name: values[item.name] for item in fields(cls) if item.name in values})

    @property
    def changes(self) -> Dict[str, Any]:
        """The options that differ from their defaults, by name."""
        defaults = asdict(type(self)())
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @property
    def label(self) -> str:
        """What the name of a run gets for the changes: `_stages:3_stride:4`, or '' for none. A file adds its bare
        name."""
        return ''.join(f'_{name}:{Path(value).stem if isinstance(value, str) else value}'
                       for name, value in self.changes.items())


def flag_name(field_name: str) -> str:
    """Returns the usual flag of a field: `--max-steps` of `max_steps`."""
    return f'--{field_name.replace("_", "-")}'


def at_least(least: int, most: int = MOST) -> Callable[[str], int]:
    """Returns an argparse type for whole numbers from `least` to `most`."""
    def whole_number(text: str) -> int:
        if not re.fullmatch('-?[0-9]{1,18}', text) or not least <= int(text) <= most:
            limits = f'from {least} ' + ('on' if most == MOST else f'to {most}')
            raise argparse.ArgumentTypeError(f'{text[:80]!r}: wanted a whole number {limits}')
        return int(text)
    return whole_number


def comma_list(text: str) -> List[str]:
    """Returns the values of a text that has commas between them, without the spaces around them and without empty
    ones."""
    return [value.strip() for value in text.split(',') if value.strip()]


def name_or_file(names: Sequence[str], find: Callable[[str], Path]) -> Callable[[str], str]:
    """Returns an argparse type for one of the names, or a file that `find` finds; its value is the file's path."""
    def choice(text: str) -> str:
        if text in names:
            return text
        try:
            return str(find(text))
        except InputError as error:
            raise argparse.ArgumentTypeError(f'wanted {", ".join(names)} or a file, and {error}') from None
    return choice


def size_hw(text: str) -> Tuple[int, int]:
    """Returns (height, width) of `368` or `368x432`; the width comes first, as in the original.

    Raises InputError for any other text.
    """
    numbers = text.lower().split('x')
    if len(numbers) > 2 or not all(re.fullmatch(' *[0-9]{1,5} *', number) and int(number) for number in numbers):
        raise InputError(f'{text[:80]!r} is not a size: wanted a number such as 368, or WIDTHxHEIGHT such as 368x368, '
                         'of 99999 at most')
    return int(numbers[-1]), int(numbers[0])
