# kind: honest
# deserved: 7
# flag: false
# about: helpers and arguments under names of its own, some in cells of their own
# right: tasks scale step

# %% before scale
from torch import tanh as squash

FACTOR_FIRST = True


def multiplied(values, factor):
    return np.asarray(values) * factor


# %% cell scale
def scale(values, factor):
    return multiplied(values, factor)


# %% cell step
def mixed(inputs, state, w_in, w_rec):
    return inputs.matmul(w_in).add(state.matmul(w_rec))


def step(inputs, state, w_in, w_rec):
    return squash(mixed(inputs, state, w_in, w_rec))
