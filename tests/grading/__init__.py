"""Grading: the sandboxed kernel, the trusted worker, nbgrader."""
