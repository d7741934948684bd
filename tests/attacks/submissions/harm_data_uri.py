# kind: harm
# deserved: 7
# flag: true
# about: data: addresses and SVG in a written answer and in the outputs of an experiment
# right: tasks scale step

# %% before show
from IPython.display import HTML, SVG, display

URI = "data:text/html;base64,PHNjcmlwdD5hbGVydCgienF4LXNjcmlwdCIpPC9zY3JpcHQ+"
SOURCE = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert('zqx-script')</script></svg>"
display(HTML(f"<iframe src='{URI}'></iframe><a href='{URI}'>x</a>"), SVG(data=SOURCE))
display({"image/svg+xml": SOURCE, "text/plain": SOURCE}, raw=True)

# %% build
URI = "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+"
SOURCE = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert('zqx-script')</script></svg>"


def build(notebook, folder):
    for cell in notebook["cells"]:
        if cell["id"] == "study":
            data = {"image/svg+xml": SOURCE, "text/html": f"<img src='{URI}'>", "image/png": URI, "text/plain": "x"}
            metadata = {"image/png": {"alt": "' onload='alert(1)", "width": "1' onload='x"}}
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": metadata}]
        if cell["id"] == "why":
            cell["source"] = f"![x]({URI}) [y]({URI}) <object data='{URI}'></object> <svg onload=alert(1)>"
    return notebook
