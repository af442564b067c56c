"""Generated requests against both twins: what Schemathesis makes of their OpenAPI document."""
