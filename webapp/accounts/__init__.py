"""Who people are: sign-in, and later teams, members and their roles."""
