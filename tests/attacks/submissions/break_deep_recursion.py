# kind: break
# deserved: 4
# flag: true
# about: recurses through C until the stack overflows
# right: tasks step

# %% cell scale
import sys

sys.setrecursionlimit(10**9)


def scale(x, k):
    return max([k], key=lambda item: scale(x, item))
