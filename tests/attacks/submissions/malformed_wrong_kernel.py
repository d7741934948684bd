# kind: malformed
# deserved: 7
# flag: false
# about: a notebook that says it is in another language
# right: tasks scale step

# %% build
def build(notebook, folder):
    notebook["metadata"] = {
        "kernelspec": {"name": "julia-1.11", "display_name": "Julia 1.11", "language": "julia"},
        "language_info": {"name": "julia", "file_extension": ".jl", "version": 1.11},
    }
    return notebook
