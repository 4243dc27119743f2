"""The answers of the page's service as JSON."""
from typing import Any, Dict, List, Mapping, Optional, Tuple

from pydantic import BaseModel, Field

from fashionai.garments.outlines import outline
from fashionai.garments.table import Garment, Garments
from fashionai.labelling.labels import Label
from fashionai.labelling.ordering import gain_of
from fashionai.labelling.store import Change, Item


class TypeCard(BaseModel):
    """A garment type: keypoints in order, the keypoint that each becomes in a mirror image, and the lines to draw."""

    keypoints: List[str]
    flipped: List[str]
    outline: List[Tuple[str, str]]


class ProjectCard(BaseModel):
    """The project. `finds`: the types that the network finds. `low_score`: a person should check a point below it."""

    folder: str
    types: Dict[str, TypeCard]
    finds: List[str]
    model: str
    low_score: float
    person: str
    formats: List[str]


class Brief(BaseModel):
    """A garment in the list. `box`: left, top, width and height in pixels, or None for the whole picture. `unsure`: the
    number of points that a person should check, or None without a proposal. `touched`: of two answers about a garment,
    the one with the larger number is newer."""

    id: int
    picture: int
    number: int
    box: Optional[Tuple[float, float, float, float]]
    name: str
    type: Optional[str]
    state: str
    unsure: Optional[int]
    gain: Optional[float]
    person: Optional[str]
    at: Optional[str]
    revision: int
    touched: int


class News(BaseModel):
    """The garments that changed, the clock to ask from next time, and how many proposals are still to be made."""

    items: List[Brief]
    clock: int
    waiting: int


class Full(Brief):
    """A garment with everything that the page shows. `size`: width and height of the upright picture in pixels.
    `model`: what made the proposal."""

    size: Tuple[int, int]
    model: Optional[str]
    label: Dict[str, Any]
    proposal: Optional[Dict[str, Any]]
    can_undo: bool
    can_redo: bool
    history: List[Dict[str, str]]


class Save(BaseModel):
    """A change: the label, the revision that it is based on, who makes it, and what they do in words."""

    label: Dict[str, Any]
    revision: int
    person: str = Field(max_length=80)
    action: str = Field('change', max_length=80)


class Step(BaseModel):
    """A change to be undone, or redone."""

    revision: int
    person: str = Field(max_length=80)


class Draw(BaseModel):
    """A box of a further garment of a picture."""

    box: List[float]
    person: str = Field(max_length=80)


class ExportOrder(BaseModel):
    """What to export: the share for validation, the seed of the split, and names of further formats."""

    val: float
    seed: int = 1
    formats: List[str] = []


class ExportAnswer(BaseModel):
    """What was exported: the folder, the numbers of garments by list and type, and what was left out."""

    folder: str
    counts: Dict[str, Dict[str, int]]
    files: List[str]
    notes: List[str]


def type_cards(garments: Garments) -> Dict[str, TypeCard]:
    """Returns the cards of the types of a table."""
    return {name: _type_card(garment) for name, garment in garments.items()}


def brief(item: Item, low: float) -> Brief:
    """Returns a garment for the list; a score below `low` is unsure."""
    return Brief(**_brief(item, low))


def full(item: Item, low: float, history: List[Change], steps: Tuple[bool, bool]) -> Full:
    """Returns a garment with everything; `steps` says whether there is something to undo, and to redo."""
    height, width = item.picture.size_hw
    return Full(**_brief(item, low), size=(width, height), model=item.model, label=item.label.to_json(),
                proposal=item.proposal and dict(item.proposal), can_undo=steps[0], can_redo=steps[1],
                history=[{'kind': change.kind, 'action': change.action, 'person': change.person, 'at': change.at}
                         for change in history])


def unsure_points(label: Label, proposal: Optional[Mapping[str, Any]], low: float) -> Optional[int]:
    """Returns how many proposed points a person should check: those not found, or with a score below `low`, that no
    person has placed. None without proposed points of the garment's type."""
    if not proposal or not proposal['points'] or label.type not in (None, proposal['type']):
        return None
    return sum(not found or score < low for name, (_, _, score, found) in proposal['points'].items()
               if name not in label.points)


def _brief(item: Item, low: float) -> Dict[str, Any]:
    proposal = item.proposal
    return {'id': item.id, 'picture': item.picture.id, 'number': item.number, 'box': item.label.box,
            'name': item.picture.name,
            'type': item.label.type or (proposal['type'] if proposal else None), 'state': item.label.state,
            'unsure': unsure_points(item.label, proposal, low),
            'gain': round(gain_of(proposal), 3) if proposal else None, 'person': item.person, 'at': item.at,
            'revision': item.revision, 'touched': item.touched}


def _type_card(garment: Garment) -> TypeCard:
    return TypeCard(keypoints=list(garment.keypoints), flipped=list(garment.flipped_keypoints),
                    outline=list(outline(garment)))
