"""Errors that a user can cure."""


class PorterError(Exception):
    """Bad input: one line that names the file, the place and the cure; the exit code is 2."""
