"""The team's daily room: crops of a person's faces, looked at, kept or rejected by several people at once."""
