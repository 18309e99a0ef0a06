"""Routers, middleware, wire schemas and the error map: the HTTP face of the services."""
