"""What a notebook of the course imports: checks, data sets, reference networks, plots and training helpers."""

from course_utils.apart import keep_checks_apart

keep_checks_apart()
