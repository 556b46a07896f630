"""Who people are: sign-in, teams, members and their roles, invitations."""
