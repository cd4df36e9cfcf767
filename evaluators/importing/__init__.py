"""Configurations of other evaluation tools, carried over into this one's language; nothing is left out silently.

promptfoo is the story; source knows files and places, filling templates, cases tests, assertions the checks, writing
the files that come out.
"""
