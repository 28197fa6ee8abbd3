class HostError(Exception):
    """The app cannot be served; the message is one line for the developer's terminal."""
