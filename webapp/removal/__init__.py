"""Taking away and handing out what the studio holds of people: withdrawals, deletion, copies of one's data."""
