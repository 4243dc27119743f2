"""Tables of garments that a user writes: JSON, or YAML where PyYAML is installed.

    {"types": {"sock": {"keypoints": ["cuff_left", "cuff_right", "heel", "toe"],
                        "limbs": [["cuff_left", "cuff_right"], ["cuff_right", "heel"], ["heel", "toe"]],
                        "normaliser": ["cuff_left", "cuff_right"],
                        "mirror": [["heel", "toe"]]}},
     "csv_keypoints": ["toe", "heel", "cuff_left", "cuff_right"]}

`mirror` may be left out: what is in no pair becomes what its name says with left and right swapped between underscores,
or itself. `csv_keypoints`, the order of the CSV columns, may be too: then the order in which the types name them.
The same form keeps a table in run.json and in the contract of a frozen graph, {} for the built-in one.
"""
import json
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple, Union

from fashionai.errors import InputError
from fashionai.garments import AUTO, GARMENTS, JOINT, SUPPLIED, Garment, Garments

_NAME = re.compile(r'\w[\w-]*')
_SIDED = re.compile('left|right', re.IGNORECASE)

Pair = Tuple[str, str]

RESERVED: Mapping[str, str] = MappingProxyType({
    JOINT: 'the network of all types', AUTO: 'the type that a network tells', SUPPLIED: 'the network of the project'})
"""What is no name for a type, and what each stands for."""


def read_garments(path: Union[str, Path]) -> Garments:
    """The table in a file. Raises InputError, naming file, type and key, for anything that is not one."""
    reader = _READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise InputError(f'{path}: wanted a table of garments, a file {", ".join(_READERS)}')
    return _table(str(path), reader(Path(path)))


def stored_garments(values: Any, place: str) -> Garments:
    """The table that `stored_form` gave. Raises InputError, naming the place, for anything else."""
    return GARMENTS if values == {} else _table(place, values)


def stored_form(garments: Garments) -> Dict[str, Any]:
    """A table as JSON keeps it; {} for the built-in one."""
    if garments == GARMENTS:
        return {}
    return {'types': {name: {'keypoints': list(garment.keypoints), 'limbs': [list(limb) for limb in garment.limbs],
                             'normaliser': list(garment.normaliser),
                             'mirror': [list(pair) for pair in garment.mirror_pairs]}
                      for name, garment in garments.items()},
            'csv_keypoints': list(garments.csv_keypoints)}


def _read_json(path: Path) -> Any:
    def distinct(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
        _check_distinct(str(path), [key for key, _ in pairs])
        return dict(pairs)
    try:
        return json.loads(path.read_text(encoding='utf-8-sig'), object_pairs_hook=distinct)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f'{path} is not JSON: {error}') from None


def _read_yaml(path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise InputError(f'{path}: reading YAML needs the package PyYAML: pip install PyYAML, or write the table as '
                         'JSON') from None
    try:
        text = path.read_text(encoding='utf-8-sig')
        values = yaml.safe_load(text)
        _check_nodes(str(path), yaml.compose(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f'{path} is not YAML: {" ".join(str(error).split())}') from None
    except RecursionError:
        raise InputError(f'{path}: something in it contains itself: wanted a table without that') from None
    return values


def _check_nodes(place: str, node: Any) -> None:
    """Raises InputError for a key that a mapping of a YAML tree has twice; PyYAML itself keeps the last one."""
    parts = node.value if node is not None and isinstance(node.value, list) else []
    _check_distinct(place, [part[0].value for part in parts if isinstance(part, tuple)])
    for part in parts:
        _check_nodes(place, part[1] if isinstance(part, tuple) else part)


_READERS: Mapping[str, Callable[[Path], Any]] = MappingProxyType(
    {'.json': _read_json, '.yaml': _read_yaml, '.yml': _read_yaml})


def _table(place: str, values: Any) -> Garments:
    _check_keys(place, values, ('types',), ('csv_keypoints',))
    types = values['types']
    if not isinstance(types, dict) or not types:
        raise InputError(f'{place}, types: {types!r}, wanted garment types by name, one or more')
    _check_names(f'{place}, types', list(types))
    for name, meaning in RESERVED.items():
        if name in types:
            raise InputError(f'{place}, type {name}: the name is kept for {meaning}, wanted another')
    for name, entry in types.items():
        _check_keys(f'{place}, type {name}', entry, ('keypoints', 'limbs', 'normaliser'), ('mirror',))
        _check_names(f'{place}, type {name}, keypoints', entry['keypoints'])
    named = tuple(dict.fromkeys(keypoint for entry in types.values() for keypoint in entry['keypoints']))
    columns = values.get('csv_keypoints', named)
    _check_names(f'{place}, csv_keypoints', columns)
    if set(columns) != set(named):
        raise InputError(f'{place}, csv_keypoints: wanted the keypoints of the types, each once: '
                         f'{_few(set(named) - set(columns))} missing, {_few(set(columns) - set(named))} of no type')
    garments = Garments(tuple(_garment(f'{place}, type {name}', name, entry, tuple(columns))
                              for name, entry in types.items()))
    _check_agreement(place, garments)
    return garments


def _garment(place: str, name: str, entry: Mapping[str, Any], columns: Tuple[str, ...]) -> Garment:
    keypoints = tuple(entry['keypoints'])
    limbs = _pairs(f'{place}, limbs', entry['limbs'], keypoints)
    if not limbs:
        raise InputError(f'{place}, limbs: none, wanted one or more')
    normaliser = _pairs(f'{place}, normaliser', [entry['normaliser']], keypoints)[0]
    mirror = _pairs(f'{place}, mirror', entry.get('mirror', []), keypoints, alone=True)
    for pairs, key in ((limbs, 'limbs'), (mirror, 'mirror')):
        _check_distinct(f'{place}, {key}', [' and '.join(sorted(pair)) for pair in pairs])
    garment = Garment(name, keypoints, limbs, normaliser, columns, mirror)
    _check_mirror(f'{place}, mirror', garment)
    return garment


def _pairs(place: str, values: Any, keypoints: Sequence[str], alone: bool = False) -> Tuple[Pair, ...]:
    """Pairs of keypoints of a type, different ones unless one may stand `alone`, with itself."""
    if not isinstance(values, list):
        raise InputError(f'{place}: {values!r}, wanted a list of pairs of keypoints')
    for pair in values:
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(f'{place}: {pair!r}, wanted a pair of keypoints')
        for end in pair:
            if end not in keypoints:
                raise InputError(f'{place}: {end!r} is not a keypoint of the type, wanted one of '
                                 f'{", ".join(keypoints)}')
        if pair[0] == pair[1] and not alone:
            raise InputError(f'{place}: {pair[0]} twice, wanted two different keypoints')
    return tuple((pair[0], pair[1]) for pair in values)


def _check_keys(place: str, values: Any, wanted: Sequence[str], optional: Sequence[str]) -> None:
    if not isinstance(values, dict):
        raise InputError(f'{place}: {values!r}, wanted {", ".join(wanted)} by name')
    missing, unknown = set(wanted) - set(values), set(values) - {*wanted, *optional}
    if missing or unknown:
        raise InputError(f'{place}: keys missing {_few(missing)}, unknown {_few(unknown)}; wanted '
                         f'{", ".join(wanted)} and, if need be, {", ".join(optional)}')


def _check_names(place: str, names: Any) -> None:
    if not isinstance(names, (list, tuple)):
        raise InputError(f'{place}: {names!r}, wanted a list of names')
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InputError(f'{place}: {name!r} is no name, wanted letters, digits, _ and -')
    _check_distinct(place, names)


def _check_distinct(place: str, names: Sequence[str]) -> None:
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputError(f'{place}: {_few(twice)} more than once')


def _check_mirror(place: str, garment: Garment) -> None:
    """Raises InputError where mirroring twice would not undo itself, or a name speaks of a side in vain."""
    paired = [end for pair in garment.mirror_pairs for end in set(pair)]
    _check_distinct(place, paired)
    becomes = dict(zip(garment.keypoints, garment.counterparts))
    for name, other in becomes.items():
        fault = ('' if name in paired else
                 f'{other}, which the type does not have' if other not in becomes else
                 f'{other}, and that becomes {becomes[other]}' if becomes[other] != name else
                 'itself, though it speaks of a side' if other == name and _SIDED.search(name) else '')
        if fault:
            raise InputError(f'{place}: by its name {name} becomes {fault}: wanted a pair of {name} and its mirror '
                             'image, which may be itself')


def _check_agreement(place: str, garments: Garments) -> None:
    """Raises InputError where a keypoint has another mirror image in one type than in another: columns are shared."""
    known: Dict[str, Pair] = {}
    for garment in garments.values():
        for name, other in zip(garment.keypoints, garment.counterparts):
            first, before = known.setdefault(name, (garment.name, other))
            if before != other:
                raise InputError(f'{place}, type {garment.name}, mirror: {name} becomes {other}, and in type {first} '
                                 f'{before}: wanted the same in both')


def _few(names: Any) -> str:
    return ', '.join(sorted(map(str, names))) or 'none'
