# kind: honest
# deserved: 7
# flag: false
# about: another name for the kernel: an environment of its own
# right: tasks scale step

# %% build
def build(notebook, folder):
    notebook["metadata"]["kernelspec"] = {"name": "rnn-env", "display_name": "Python (rnn)", "language": "python"}
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.13.1", "nbconvert_exporter": "python"}
    notebook["metadata"]["vscode"] = {"interpreter": {"hash": "31f2ae"}}
    return notebook
