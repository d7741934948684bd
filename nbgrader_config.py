"""nbgrader's settings for this course: read by its command line, by the formgrader and by `coursework`."""

from course_admin.build_release import configure_release
from course_admin.grading.config import configure_grading

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# ----------------------------------------------------------------------------------------- building a release

configure_release(c)

# ---------------------------------------------------------------------------------------------------- grading

configure_grading(c)
# c.CourseDirectory.db_url = "postgresql+psycopg://user@host/course"  # a server in place of gradebook.db;
# c.CourseDirectory.course_id = "rnn"  # PostgreSQL refuses a course without a name
