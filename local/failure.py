class LocalFailure(Exception):
    """Something a developer can put right: its text is one clear message, shown without a traceback."""
