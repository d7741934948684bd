# why: writes the ones in place, checks the range in a helper, multiplies by einsum
def check_range(values, stop):
    if not all(0 <= value < stop for value in np.ravel(values)):
        raise ValueError("out of range")


def one_hot(indices, num_classes):
    indices = np.asarray(indices)
    check_range(indices, num_classes)
    rows = np.zeros((*indices.shape, num_classes), dtype=np.float32)
    np.put_along_axis(rows, np.expand_dims(indices, -1), 1, -1)
    return rows


def _product(rows, table):
    return np.einsum("...v,ve->...e", rows, table)


def embed(indices, table):
    return _product(one_hot(indices, np.shape(table)[0]), table)
