"""What each row of a program does: one function a family of opcodes, (line, frame), compiled when a program needs it."""
