"""The test suite. A package, so that two folders may hold files of one name and `python -m tests.attacks.bench` works."""
