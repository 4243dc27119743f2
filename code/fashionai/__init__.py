"""FashionAI clothes keypoints: find the 4 to 15 keypoints of a garment in a photograph."""

__version__ = '0.6.0'
