// Whether a file has changed since a last look.
#pragma once

#include <string>

namespace relations {

// A text that differs from an earlier one when the file was replaced or written meanwhile: inode,
// size and time of change. Empty for a file that is not there.
std::string FileStamp(const std::string& path);

}  // namespace relations
