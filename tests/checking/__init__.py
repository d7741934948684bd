"""The seam, its codec and the expectations."""
