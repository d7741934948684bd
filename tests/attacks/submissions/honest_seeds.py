# kind: honest
# deserved: 7
# flag: false
# about: seeds set in cells of its own and within answers
# right: tasks scale step

# %% before scale
import random

random.seed(7)
np.random.seed(7)
torch.manual_seed(7)
torch.use_deterministic_algorithms(True)

# %% cell step
def step(x, h, w, u):
    torch.manual_seed(0)
    torch.rand(3)
    return torch.tanh(x @ w + h @ u)
