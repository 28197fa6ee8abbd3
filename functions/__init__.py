"""HTTP triggers, one module per family of routes: a request becomes a call, its result a response."""
