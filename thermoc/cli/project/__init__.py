"""What ``thermoc new`` writes: templates of a project's files."""
