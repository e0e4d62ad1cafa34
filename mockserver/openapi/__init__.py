"""OpenAPI 3.1 descriptions, built from routes, pydantic models and tables of errors when one is asked for.

`openapi_pydantic` (the extra `[openapi]`) is imported by these modules alone, and these modules by nobody at the start.
"""
