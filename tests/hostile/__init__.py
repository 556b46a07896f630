"""Files that a stranger might send, each made by code: small, and nasty in one way."""
