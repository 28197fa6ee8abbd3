"""The interop service itself: tenants, tokens, FHIR. It knows nothing of Azure Functions."""
