# kind: honest
# deserved: 7
# flag: false
# about: names and texts in other alphabets, also right to left
# right: tasks scale step

# %% cell scale
def scale(x, k):
    """Échelle: 乘以 k. שלום"""
    λ = np.asarray(x)
    größe = λ * k
    return größe


# %% build
def build(notebook, folder):
    for cell in notebook["cells"]:
        if cell["id"] == "why":
            cell["source"] = "الأوزان نفسها في كل خطوة زمنية. 每个时间步使用相同的权重。 🙂"
    return notebook
