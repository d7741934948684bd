#!/usr/bin/env bash
# make course: from a fresh clone to a graded class.
source "$(dirname "$0")/steps.sh"
STUDENTS=${STUDENTS:-12}
SEED=${SEED:-1}

step "System packages" system_packages bwrap
step "Environment" environment instructors
export PATH="$PWD/$VENV/bin:$PATH"
step "Build source/ and release/" coursework build
for manuscript in manuscript/[0-9][0-9]_*.py; do
    name=$(basename "$manuscript" .py)
    section=${name%%_*}
    step "Simulate a class of $STUDENTS for $name" coursework simulate "$section" --students "$STUDENTS" --seed "$SEED"
    step "Grade the class in the sandbox" coursework grade "$section"
    step "Write feedback" coursework feedback "$section"
    step "Write the report" coursework report "$section"
done
total "A class is graded"
echo "   graded notebooks   autograded/STUDENT/NOTEBOOK/NOTEBOOK.ipynb"
echo "   feedback           feedback/STUDENT/NOTEBOOK/NOTEBOOK.html"
echo "   reports            report/NOTEBOOK.html  (for instructors)"
echo "   marking by hand    $VENV/bin/jupyter lab  (menu Nbgrader → Formgrader)"
