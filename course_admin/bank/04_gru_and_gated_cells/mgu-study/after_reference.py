# why: what the experiment records, since a check of one answer does not run it: the figures of one run of 21 trainings

from course_utils.checking import record

_columns = ("comparison", "kind", "hidden", "parameters", "seeds", "steps")
_columns += ("accuracy_mean", "accuracy_sd", "accuracy_lowest", "accuracy_highest")
_table = [
    ("equal hidden size", "rnn", 32, 1888, 3, 400, 0.86714, 0.00515, 0.86143, 0.87143),
    ("equal hidden size", "mgu", 32, 3776, 3, 400, 0.89952, 0.00705, 0.89143, 0.90429),
    ("equal hidden size", "gru", 32, 5664, 3, 400, 0.90714, 0.00378, 0.90429, 0.91143),
    ("equal hidden size", "lstm", 32, 7552, 3, 400, 0.90762, 0.00972, 0.9, 0.91857),
    ("equal parameters", "rnn", 62, 5518, 3, 400, 0.8619, 0.00873, 0.85429, 0.87143),
    ("equal parameters", "mgu", 41, 5576, 3, 400, 0.90048, 0.01346, 0.89, 0.91571),
    ("equal parameters", "gru", 32, 5664, 3, 400, 0.90714, 0.00378, 0.90429, 0.91143),
    ("equal parameters", "lstm", 26, 5512, 3, 400, 0.89952, 0.00861, 0.89143, 0.90857),
]
record("mgu-study", [dict(zip(_columns, row)) for row in _table])
