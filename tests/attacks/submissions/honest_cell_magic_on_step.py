# kind: honest
# deserved: 7
# flag: false
# about: a cell magic over the answer that rules about text read
# right: tasks scale step

# %% cell step
%%time
def step(x, h, w, u):
    return torch.tanh(x @ w + h @ u)
