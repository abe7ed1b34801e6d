// JSON Lines: one object a line, read as a stream in bounded memory.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "storage/import/import_run.h"
#include "storage/import/input_file.h"

namespace relations {

// Imports `head`, which was read from `input` already, and the rest of `input`, called `file` in
// positions. Bad lines are rejected by their number and reading goes on; a failure to read the
// input is rejected at the line it struck. The lines before it are imported: they stand for
// themselves. Blank lines mean nothing.
absl::Status ReadJsonLines(std::string head, InputFile& input, const std::string& file,
                           ImportRun& run);

}  // namespace relations
