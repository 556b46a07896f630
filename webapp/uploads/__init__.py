"""Uploads: photos and videos arrive in pieces, are taken in by a job, and become a person's assets."""
