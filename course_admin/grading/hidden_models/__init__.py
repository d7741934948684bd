"""Stands in the place of `course_utils.models` while a submission is graded."""

raise ImportError("course_utils.models is not available here: the exercise asks you to write it")
