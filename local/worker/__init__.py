"""The Azure Functions host as far as an HTTP app meets it, for a developer's machine and the tests.

Microsoft's own worker package indexes and runs the functions; this package does the host's part: it
matches routes, shapes requests and responses, and reproduces the host's traps, so that what works here
works in Azure. It is stricter than Core Tools where Core Tools forgives what Azure does not.
"""
