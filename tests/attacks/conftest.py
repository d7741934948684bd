"""Submissions are read as text; pytest must not import them."""

collect_ignore = ["submissions"]
