"""What each row of a program does: one function (line, frame) a family of opcodes, compiled when it is needed."""
