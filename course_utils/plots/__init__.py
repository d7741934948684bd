"""Drawing functions, a module a family. Notebooks import all of them from `course_utils.plotting`."""
