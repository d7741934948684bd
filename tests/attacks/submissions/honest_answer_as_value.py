# kind: honest
# deserved: 7
# flag: false
# about: answers that are lambdas, partial functions and objects that can be called
# right: tasks scale step

# %% cell scale
from functools import partial

scale = lambda x, k: np.asarray(x) * k

# %% cell step
class Step:
    def __init__(self, squash):
        self.squash = squash

    def __call__(self, x, h, w, u):
        return self.squash(x @ w + h @ u)


step = partial(Step(torch.tanh).__call__)
