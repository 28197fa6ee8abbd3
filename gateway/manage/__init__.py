"""What an operator can do, whatever they do it with: the management API, the command line and the portal call these
operations, which check the input, write the audit row, change the registry and say what was changed.
"""
