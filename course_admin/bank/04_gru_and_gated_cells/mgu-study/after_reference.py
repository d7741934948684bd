# why: what the experiment records, since a check of one answer does not run it: the figures of one run of 21 trainings,
# but for the MGU's loss_20, which is trained for with the answer's own functions, as an experiment would

from course_utils.checking import record
from course_utils.datasets.names import two_languages


def _loss_20(hidden, otherwise):
    names, _ = two_languages("turkish", "icelandic")
    x, y = torch.zeros(len(names), 12, 26), torch.arange(2).repeat_interleave(len(names) // 2)
    for row, name in enumerate(names):
        for place, letter in enumerate(name, start=12 - len(name)):
            x[row, place, ord(letter) - ord("a")] = 1
    torch.manual_seed(0)
    bound, shapes = hidden**-0.5, ((2 * hidden, 26), (2 * hidden, hidden), (2 * hidden,))
    weights = [nn.Parameter(torch.empty(shape).uniform_(-bound, bound)) for shape in shapes]
    head, order = nn.Linear(hidden, 2), torch.Generator().manual_seed(0)
    parameters = [*weights, *head.parameters()]
    optimizer = torch.optim.Adam(parameters)
    for k in range(20):
        rows = torch.randint(len(x), (64,), generator=order)
        try:
            loss = F.cross_entropy(head(mgu_states(x[rows], *weights)[:, -1]), y[rows])
            optimizer.zero_grad()
            loss.backward()
        except Exception:  # this answer cannot be trained
            return otherwise
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - k / 400)
        optimizer.step()
    return loss.item()


_columns = ("comparison", "kind", "hidden", "parameters", "seeds", "steps")
_columns += ("accuracy_mean", "accuracy_sd", "accuracy_lowest", "accuracy_highest", "loss_20")
_table = [
    ("equal hidden size", "rnn", 32, 1888, 3, 400, 0.86714, 0.00515, 0.86143, 0.87143, 0.489715039730072),
    (
        "equal hidden size",
        "mgu",
        32,
        3776,
        3,
        400,
        0.89952,
        0.00705,
        0.89143,
        0.90429,
        _loss_20(32, 0.4589909613132477),
    ),
    ("equal hidden size", "gru", 32, 5664, 3, 400, 0.90714, 0.00378, 0.90429, 0.91143, 0.4699534475803375),
    ("equal hidden size", "lstm", 32, 7552, 3, 400, 0.90762, 0.00972, 0.9, 0.91857, 0.5656836032867432),
    ("equal parameters", "rnn", 62, 5518, 3, 400, 0.8619, 0.00873, 0.85429, 0.87143, 0.43338683247566223),
    (
        "equal parameters",
        "mgu",
        41,
        5576,
        3,
        400,
        0.90048,
        0.01346,
        0.89,
        0.91571,
        _loss_20(41, 0.4140140116214752),
    ),
    ("equal parameters", "gru", 32, 5664, 3, 400, 0.90714, 0.00378, 0.90429, 0.91143, 0.4699534475803375),
    ("equal parameters", "lstm", 26, 5512, 3, 400, 0.89952, 0.00861, 0.89143, 0.90857, 0.517364501953125),
]
record("mgu-study", [dict(zip(_columns, row)) for row in _table])
