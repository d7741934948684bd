# kind: forbidden
# deserved: 4
# flag: true
# about: calls the operator below the library
# right: tasks scale

# %% cell step

def step(x, h, w, u):
    return torch.ops.aten.rnn_tanh_cell(x, h, w.T, u.T)
