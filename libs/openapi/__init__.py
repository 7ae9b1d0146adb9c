"""The OpenAPI description of the REST routes with raw bodies, and its page: made from the contracts."""
