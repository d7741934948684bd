"""How far each reference network is from an independent one: `python -m tests.bench.agreement`.

Every family of course_utils.models beside torch.nn, torchdiffeq, NumPy, SciPy, scikit-learn, brute force, or its
equations written out once more, one sequence and one step at a time. All in float64, over a few shapes (also B = 1
and T = 1) with drawn weights and lengths and NaN in the padding; the seeds are fixed. What is printed is the largest
absolute difference of outputs and final states, and apart from it that of the gradients of a random weighing of
them, by inputs, first states and parameters.
"""

from tests.bench.agreement import layers, networks
from tests.bench.agreement.comparing import Difference

FAMILIES = layers.families() | networks.families()

__all__ = ["FAMILIES", "Difference"]
