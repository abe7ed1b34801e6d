// The whole of relationsctl behind one function.
#pragma once

namespace relations {

// Parses, runs the command, tells errors on standard error. Returns the exit code (exit_code.h).
int RunCommandLine(int argc, const char* const* argv);

}  // namespace relations
