# kind: honest
# deserved: 7
# flag: false
# about: warns on stderr when called
# right: tasks scale step

# %% cell scale
import sys
import warnings


def scale(x, k):
    warnings.warn("slow", stacklevel=1)
    print("careful", file=sys.stderr)
    return np.asarray(x) * k
