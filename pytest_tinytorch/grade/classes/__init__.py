"""Whole classes: many submissions in parallel, one line of result each, and what an instructor hands out afterwards.

roster.py says who handed in what; store.py keeps what was found so that a run that is killed goes on where it was;
engines.py spreads the work over processes or a cluster, each process running worker.py; work.py is what is done with
one submission; run.py puts them together. gradebook.py, feedback.py and report.py are made of the stored grades.
"""
