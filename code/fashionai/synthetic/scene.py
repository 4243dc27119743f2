"""The scene: canvas, random numbers, light, scale and presentation, which all parts of a drawing share."""
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

import numpy as np

from fashionai.synthetic.canvas import FOREIGN, Canvas, Colour
from fashionai.synthetic.cloth import Cloth, Crease
from fashionai.synthetic.fabric import Fabric

WORN, MANNEQUIN, HANGER, FLAT = 'worn', 'mannequin', 'hanger', 'flat'


@dataclass(frozen=True)
class Scene:
    """Everything that the parts of one picture share."""

    canvas: Canvas
    rng: np.random.Generator
    light_xy: Tuple[float, float]
    metre: float
    """Pixels of a metre on an adult."""
    shown: str
    """WORN by a person, on a MANNEQUIN, on a HANGER, or lying FLAT."""
    skin: Colour

    @property
    def has_body(self) -> bool:
        """Whether a person or a mannequin is in the garment."""
        return self.shown in (WORN, MANNEQUIN)

    def paint(self, outline: np.ndarray, fabric: Fabric, owner: int = FOREIGN, turn_deg: float = 0,
              creases: Sequence[Crease] = (), tone: float = 1.0) -> None:
        """Fills an upright outline with cloth."""
        seed = int(self.rng.integers(1 << 31))
        cloth = Cloth(fabric, self.canvas.frame, self.light_xy, turn_deg, creases, tone, seed)
        self.canvas.fill(outline, cloth, owner)

    def paint_smooth(self, outline: np.ndarray, colour: Optional[Colour] = None) -> None:
        """Fills an upright outline with a smooth, round surface; its default colour is the skin's."""
        colour = self.skin if colour is None else colour
        self.paint(outline, Fabric(colour, None, zoom=1, turn_deg=0, gloss=0.6, softness=0))

    def chance(self, probability: float) -> bool:
        """Returns True with this probability."""
        return bool(self.rng.random() < probability)
