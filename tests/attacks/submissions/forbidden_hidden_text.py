# kind: forbidden
# deserved: 4
# flag: true
# about: runs code that stands in the notebook as compressed text
# right: tasks scale

# %% cell step
import base64
import zlib

exec(zlib.decompress(base64.b64decode("@CODE@")))

# %% build
import base64
import zlib

CODE = """
def step(x, h, w, u):
    cell = nn.RNNCell(x.shape[1], h.shape[1], bias=False)
    cell.weight_ih, cell.weight_hh = nn.Parameter(w.T.clone()), nn.Parameter(u.T.clone())
    return cell(x, h)
"""


def build(notebook, folder):
    text = base64.b64encode(zlib.compress(CODE.encode())).decode()
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace("@CODE@", text)
    return notebook
