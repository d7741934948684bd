"""Equal random numbers for every check, on both sides of the seam."""

import random

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seed Python's, NumPy's and torch's generators.

    `torch.manual_seed` takes a millisecond to note the seed for devices that are not there; a check may seed often.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
