"""Damaged and hostile files of every format that thermoc reads, and a process that reads them under limits."""
