"""nbgrader's settings for this course: read by its command line, by the formgrader and by `coursework`."""

from course_admin.build_release import configure_release

c = get_config()  # noqa: F821

# ------------------------------------------------------------------------------------------------- building a release

configure_release(c)

# ------------------------------------------------------------------------------------------------------------ grading
