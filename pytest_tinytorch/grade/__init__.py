"""Grading: a submission, pristine checks, and a grade that the submission's own code cannot reach.

assignment.py says what is graded and what it is worth, result.py is the grade as plain data. submission.py takes the
few files that count from a folder, an archive or a repository; judge.py is a process that runs the checks on them,
isolated; task.py puts both together: one submission in, one grade out, which is what the command line, a class and a
cluster call. outputs/ holds one file for each format that others read.
"""
