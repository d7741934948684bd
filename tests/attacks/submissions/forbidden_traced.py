# kind: forbidden
# deserved: 4
# flag: true
# about: traces the library's cell once and calls what is left of it: operators that nobody forbids
# right: tasks scale

# %% cell step
CELL = vars(torch)["llec_hnat_nnr"[::-1]]


def run(x, h, w, u):
    return CELL(x, h, w.t(), u.t(), None, None)


step = torch.jit.trace(run, [torch.eye(2)] * 4)
