# why: what the experiment records, since a check of one answer does not run it: the figures of one run

from course_utils.checking import record

_measured = [  # optimizer, early_loss, threshold, clipped_share, loss_mean, loss_sd, diverged
    ("sgd", 3.32053, 0.01, 1.0, 2.76819, 0.03029, 0),
    ("sgd", 2.89297, 0.1, 1.0, 2.19284, 0.00678, 0),
    ("sgd", 2.57198, 1.0, 0.00175, 1.91582, 0.00779, 0),
    ("sgd", 1.081e19, 10.0, 0.00042, 2.00887, 0.08808, 2),
    ("sgd", "nan", 100.0, 0.00042, 2.05229, 0.14247, 2),
    ("sgd", "nan", "none", 0.0, 1.98244, 0.10643, 3),
    ("adam", 3.10683, 0.01, 1.0, 2.08557, 0.02004, 0),
    ("adam", 3.10678, 0.1, 1.0, 2.09232, 0.01276, 0),
    ("adam", 3.1022, 1.0, 0.01075, 2.07407, 0.01504, 0),
    ("adam", 3.1022, 10.0, 0.00025, 2.07041, 0.01279, 0),
    ("adam", 3.1022, 100.0, 0.0, 2.07137, 0.01373, 0),
    ("adam", 3.1022, "none", 0.0, 2.07137, 0.01373, 0),
]
_table = [
    {
        "optimizer": optimizer,
        "steps": 800,
        "threshold": threshold,
        "seeds": 5,
        "clipped_share": share,
        "loss_mean": mean,
        "loss_sd": sd,
        "diverged": diverged,
        "early_loss": early,
    }
    for optimizer, early, threshold, share, mean, sd, diverged in _measured
]
record("threshold-study", _table)
