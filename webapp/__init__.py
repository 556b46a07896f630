"""The studio: what people see and own."""
