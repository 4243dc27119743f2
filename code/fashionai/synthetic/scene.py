"""What every part of a drawing shares: the canvas, the random numbers, the light, the scale and the way it is shown."""
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

import numpy as np

from fashionai.synthetic.canvas import FOREIGN, Canvas, Colour
from fashionai.synthetic.cloth import Cloth, Crease
from fashionai.synthetic.fabric import Fabric

WORN, MANNEQUIN, HANGER, FLAT = 'worn', 'mannequin', 'hanger', 'flat'


@dataclass(frozen=True)
class Scene:
    """A canvas set up for one picture."""

    canvas: Canvas
    rng: np.random.Generator
    light_xy: Tuple[float, float]
    metre: float
    """Pixels a metre of a grown person takes."""
    shown: str
    """WORN by a person, on a MANNEQUIN, on a HANGER, or lying FLAT."""
    skin: Colour

    @property
    def has_body(self) -> bool:
        """Whether somebody, or a mannequin, fills the garment."""
        return self.shown in (WORN, MANNEQUIN)

    def paint(self, outline: np.ndarray, fabric: Fabric, owner: int = FOREIGN, turn_deg: float = 0,
              creases: Sequence[Crease] = (), tone: float = 1.0) -> None:
        """Fill an upright outline with cloth."""
        seed = int(self.rng.integers(1 << 31))
        cloth = Cloth(fabric, self.canvas.frame, self.light_xy, turn_deg, creases, tone, seed)
        self.canvas.fill(outline, cloth, owner)

    def paint_smooth(self, outline: np.ndarray, colour: Optional[Colour] = None, owner: int = FOREIGN) -> None:
        """Fill an upright outline with something smooth and round, of the skin's colour unless told."""
        colour = self.skin if colour is None else colour
        self.paint(outline, Fabric(colour, None, zoom=1, turn_deg=0, gloss=0.6, softness=0), owner)

    def chance(self, probability: float) -> bool:
        """True that often."""
        return bool(self.rng.random() < probability)
