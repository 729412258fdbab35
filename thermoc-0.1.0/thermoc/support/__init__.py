"""What everything else stands on: errors, random words, units, safe files. Imports nothing of thermoc."""
