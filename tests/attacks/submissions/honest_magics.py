# kind: honest
# deserved: 7
# flag: false
# about: magics on cells and lines, also on the cells of answers
# right: tasks scale step

# %% before tasks
%matplotlib inline
%load_ext autoreload
%autoreload 2
%config InlineBackend.figure_format = "retina"

# %% cell scale
%%time
def scale(x, k):
    return np.asarray(x) * k

# %% cell step
%matplotlib inline
def step(x, h, w, u):
    return torch.tanh(x @ w + h @ u)

%timeit -n 1 -r 1 step(torch.eye(2), torch.eye(2), torch.eye(2), torch.eye(2))

# %% after step
%%capture captured
print(scale(2, 3))
