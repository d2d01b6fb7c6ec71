"""The Olympics: entries, the leaderboard, and where a run leaves its own."""
