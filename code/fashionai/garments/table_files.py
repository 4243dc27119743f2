"""Reads garment tables from files that a user writes: JSON, or YAML if PyYAML is installed.

    {"types": {"sock": {"keypoints": ["cuff_left", "cuff_right", "heel", "toe"],
                        "limbs": [["cuff_left", "cuff_right"], ["cuff_right", "heel"], ["heel", "toe"]],
                        "normaliser": ["cuff_left", "cuff_right"],
                        "mirror": [["heel", "toe"]],
                        "lengths": {"foot": [["heel", "toe"]]}}},
     "csv_keypoints": ["toe", "heel", "cuff_left", "cuff_right"]}

`mirror` is optional: a keypoint in no pair becomes the keypoint whose name has left and right swapped (as words between
underscores), or itself. `lengths` is optional: by name, one path over keypoints, or two for left and right; a place of
a path is a keypoint, or the middle of two, `heel + toe`. If the types have `lengths` alone, these are added to the
built-in table. `csv_keypoints`, the order of the CSV columns, is optional too: the default is the order in
which the types name the keypoints. run.json and the contract of a frozen graph keep a table in the same form, and {}
for the built-in table.
"""
import re
import textwrap
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple, Union

from fashionai.errors import InputError, shown
from fashionai.files import parse_yaml, read_json
from fashionai.garments.measurements import Paths, lengths_of
from fashionai.garments.table import AUTO, GARMENTS, JOINT, SUPPLIED, Garment, Garments

_NAME = re.compile(r'\w[\w-]*')
_SIDED = re.compile('left|right', re.IGNORECASE)

Pair = Tuple[str, str]

RESERVED: Mapping[str, str] = MappingProxyType({
    JOINT: 'the network of all types', AUTO: 'the type that a network predicts',
    SUPPLIED: 'the network of the project'})
"""Names that a type cannot have, and their meanings."""


def read_garments(path: Union[str, Path]) -> Garments:
    """Reads the table in a file. Raises InputError that names file, type and key if it is not a garment table."""
    reader = _READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise InputError(f'{path}: wanted a garment table, a file with the ending {", ".join(_READERS)}')
    return _table(str(path), reader(Path(path)))


def stored_garments(values: Any, place: str) -> Garments:
    """Returns the table that `stored_form` returned as JSON. Raises InputError that names `place` for other values."""
    return GARMENTS if values == {} else _table(place, values)


def stored_form(garments: Garments) -> Dict[str, Any]:
    """Returns a table in the form for JSON; {} for the built-in table."""
    if garments == GARMENTS:
        added = {name: {'lengths': _stored_lengths(garment)} for name, garment in garments.items() if garment.lengths}
        return {'types': added} if added else {}
    return {'types': {name: {'keypoints': list(garment.keypoints), 'limbs': [list(limb) for limb in garment.limbs],
                             'normaliser': list(garment.normaliser),
                             'mirror': [list(pair) for pair in garment.mirror_pairs],
                             **({'lengths': _stored_lengths(garment)} if garment.lengths else {})}
                      for name, garment in garments.items()},
            'csv_keypoints': list(garments.csv_keypoints)}


def _stored_lengths(garment: Garment) -> Dict[str, List[List[str]]]:
    return {name: [path.split(' > ') for path in paths] for name, paths in garment.lengths}


def _read_yaml(path: Path) -> Any:
    return parse_yaml(path.read_bytes(), str(path))


_READERS: Mapping[str, Callable[[Path], Any]] = MappingProxyType(
    {'.json': read_json, '.yaml': _read_yaml, '.yml': _read_yaml})


def _table(place: str, values: Any) -> Garments:
    _check_keys(place, values, ('types',), ('csv_keypoints',))
    types = values['types']
    if not isinstance(types, dict) or not types:
        raise InputError(f'{place}, types: {shown(types)}, wanted one or more garment types by name')
    _check_names(f'{place}, types', list(types))
    for name, meaning in RESERVED.items():
        if name in types:
            raise InputError(f'{place}, type {name}: the name is reserved for {meaning}, wanted another name')
    if 'csv_keypoints' not in values and all(isinstance(entry, dict) and set(entry) == {'lengths'}
                                             for entry in types.values()):
        return _extended(place, types)
    for name, entry in types.items():
        _check_keys(f'{place}, type {name}', entry, ('keypoints', 'limbs', 'normaliser'), ('mirror', 'lengths'))
        _check_names(f'{place}, type {name}, keypoints', entry['keypoints'])
    named = tuple(dict.fromkeys(keypoint for entry in types.values() for keypoint in entry['keypoints']))
    columns = values.get('csv_keypoints', named)
    _check_names(f'{place}, csv_keypoints', columns)
    if set(columns) != set(named):
        raise InputError(f'{place}, csv_keypoints: wanted every keypoint of the types once; missing '
                         f'{_few(set(named) - set(columns))}; of no type {_few(set(columns) - set(named))}')
    garments = Garments(tuple(_garment(f'{place}, type {name}', name, entry, tuple(columns))
                              for name, entry in types.items()))
    _check_agreement(place, garments)
    return garments


def _garment(place: str, name: str, entry: Mapping[str, Any], columns: Tuple[str, ...]) -> Garment:
    keypoints = tuple(entry['keypoints'])
    limbs = _pairs(f'{place}, limbs', entry['limbs'], keypoints)
    if not limbs:
        raise InputError(f'{place}, limbs: none, wanted at least one')
    normaliser = _pairs(f'{place}, normaliser', [entry['normaliser']], keypoints)[0]
    mirror = _pairs(f'{place}, mirror', entry.get('mirror', []), keypoints, alone=True)
    for pairs, key in ((limbs, 'limbs'), (mirror, 'mirror')):
        _check_distinct(f'{place}, {key}', [' and '.join(sorted(pair)) for pair in pairs])
    garment = Garment(name, keypoints, limbs, normaliser, columns, mirror)
    _check_mirror(f'{place}, mirror', garment)
    return replace(garment, lengths=_lengths(place, entry.get('lengths', {}), garment))


def _extended(place: str, types: Mapping[str, Any]) -> Garments:
    """Returns the built-in table with more lengths."""
    for name in types:
        if name not in GARMENTS:
            raise InputError(f'{place}, type {name}: it has lengths alone, as only the built-in types {GARMENTS} may; '
                             'wanted keypoints, limbs and normaliser too')
    return Garments(tuple(replace(garment, lengths=_lengths(f'{place}, type {garment.name}',
                                                            types.get(garment.name, {}).get('lengths', {}), garment))
                          for garment in GARMENTS.values()))


def _lengths(place: str, values: Any, garment: Garment) -> Tuple[Tuple[str, Paths], ...]:
    """Returns the lengths of a type that a file gives."""
    if not isinstance(values, dict):
        raise InputError(f'{place}, lengths: {shown(values)}, wanted lengths by name')
    _check_names(f'{place}, lengths', list(values))
    for name in values:
        if name in lengths_of(garment):
            raise InputError(f'{place}, length {name}: the type has a length of that name already, wanted another name')
    return tuple((name, _paths(f'{place}, length {name}', paths, garment)) for name, paths in values.items())


def _paths(place: str, values: Any, garment: Garment) -> Paths:
    if not isinstance(values, list) or len(values) not in (1, 2):
        raise InputError(f'{place}: {shown(values)}, wanted a list of one path, or of two for left and right')
    paths = []
    for value in values:
        if not isinstance(value, list) or len(value) < 2:
            raise InputError(f'{place}: {shown(value)}, wanted a path, a list of two or more keypoints')
        stops = [_stop(place, stop, garment) for stop in value]
        if any(stop == after for stop, after in zip(stops, stops[1:])):
            raise InputError(f'{place}: {shown(value)}, wanted a path of different keypoints')
        paths.append(' > '.join(stops))
    _check_distinct(place, paths)
    return tuple(paths)


def _stop(place: str, value: Any, garment: Garment) -> str:
    """Returns a place of a path: a keypoint, or the middle of two."""
    names = [name.strip() for name in value.split('+')] if isinstance(value, str) else [value]
    for name in names:
        if name not in garment.keypoints:
            raise InputError(f'{place}: {shown(name)} is not a keypoint of the type, wanted one of '
                             f'{", ".join(garment.keypoints)}')
    if len(names) > 2 or len(set(names)) < len(names):
        raise InputError(f'{place}: {shown(value)}, wanted a keypoint, or two different ones with + between them')
    return ' + '.join(names)


def _pairs(place: str, values: Any, keypoints: Sequence[str], alone: bool = False) -> Tuple[Pair, ...]:
    """Returns pairs of keypoints of a type. The two must differ, unless `alone` allows a keypoint with itself."""
    if not isinstance(values, list):
        raise InputError(f'{place}: {shown(values)}, wanted a list of pairs of keypoints')
    for pair in values:
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(f'{place}: {shown(pair)}, wanted a pair of keypoints')
        for end in pair:
            if end not in keypoints:
                raise InputError(f'{place}: {shown(end)} is not a keypoint of the type, wanted one of '
                                 f'{", ".join(keypoints)}')
        if pair[0] == pair[1] and not alone:
            raise InputError(f'{place}: {pair[0]} twice, wanted two different keypoints')
    return tuple((pair[0], pair[1]) for pair in values)


def _check_keys(place: str, values: Any, wanted: Sequence[str], optional: Sequence[str]) -> None:
    if not isinstance(values, dict):
        raise InputError(f'{place}: {shown(values)}, wanted {", ".join(wanted)} by name')
    missing, unknown = set(wanted) - set(values), set(values) - {*wanted, *optional}
    if missing or unknown:
        raise InputError(f'{place}: missing keys {_few(missing)}, unknown keys {_few(unknown)}; wanted '
                         f'{", ".join(wanted)} and, optionally, {", ".join(optional)}')


def _check_names(place: str, names: Any) -> None:
    if not isinstance(names, (list, tuple)):
        raise InputError(f'{place}: {shown(names)}, wanted a list of names')
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InputError(f'{place}: {shown(name)} is not a valid name, wanted letters, digits, _ and -')
    _check_distinct(place, names)


def _check_distinct(place: str, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f'{place}: {_few(twice)} more than once')


def _check_mirror(place: str, garment: Garment) -> None:
    """Raises InputError if mirroring twice does not give the same keypoint, or a name has a side but no mirror image.
    """
    paired = [end for pair in garment.mirror_pairs for end in set(pair)]
    _check_distinct(place, paired)
    becomes = dict(zip(garment.keypoints, garment.flipped_keypoints))
    for name, other in becomes.items():
        fault = ('' if name in paired else
                 f'{other}, which the type does not have' if other not in becomes else
                 f'{other}, but that becomes {becomes[other]}' if becomes[other] != name else
                 'itself, although the name has a side' if other == name and _SIDED.search(name) else '')
        if fault:
            raise InputError(f'{place}: by its name, {name} becomes {fault}; wanted a pair of {name} and its mirror '
                             'image, which may be itself')


def _check_agreement(place: str, garments: Garments) -> None:
    """Raises InputError if a keypoint has different mirror images in two types, since the types share columns."""
    known: Dict[str, Pair] = {}
    for garment in garments.values():
        for name, other in zip(garment.keypoints, garment.flipped_keypoints):
            first, before = known.setdefault(name, (garment.name, other))
            if before != other:
                raise InputError(f'{place}, type {garment.name}, mirror: {name} becomes {other}, but in type {first} '
                                 f'it becomes {before}; wanted the same in both')


def _few(names: Any) -> str:
    return textwrap.shorten(', '.join(sorted(map(str, names))) or 'none', 300, placeholder=' ...')
