"""The language: ActivityPub as a library that keeps nothing, serves nothing and knows no mutual aid."""
