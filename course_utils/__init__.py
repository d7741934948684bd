"""What a notebook of the course imports: checks, data sets, reference networks, plots and training helpers."""
