# why: plain Python loops, and a product written out as a sum
def one_hot(indices, num_classes):
    indices = np.array(indices, dtype=int)
    result = np.zeros(indices.shape + (num_classes,))
    for place in np.ndindex(*indices.shape):
        k = indices[place]
        if k < 0 or k >= num_classes:
            raise ValueError("index out of range")
        result[place + (k,)] = 1
    return result


def embed(indices, table):
    rows = one_hot(indices, table.shape[0])
    out = np.zeros(rows.shape[:-1] + (table.shape[1],))
    for v in range(table.shape[0]):
        out += rows[..., v : v + 1] * table[v]
    return out
