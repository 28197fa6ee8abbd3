"""FHIR as the app sees it: faces, interactions, capability statements, bundles, outcomes and the gateway's own URLs."""
