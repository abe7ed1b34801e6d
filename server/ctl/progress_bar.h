// How far an import is, as one line on a terminal that is drawn over and over; nothing where
// standard error is no terminal.
//
//   [##########----------]  52%  31.2 MB of 60.0 MB  14.9 MB/s  ETA 0:02
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "storage/import/importer.h"

namespace relations {

class ProgressBar final : public ImportProgress {
 public:
  // Draws when `terminal` is true; else does nothing at all.
  explicit ProgressBar(bool terminal);
  // Takes the line away.
  ~ProgressBar() override { Clear(); }

  void OnBytes(uint64_t bytes_read, uint64_t total) override;

  // Shows a step of unknown length instead of the bar.
  void ShowStep(const std::string& step);
  // Takes the line away, so that other text can be written; the next OnBytes draws it again.
  void Clear();

 private:
  void Draw(const std::string& line);

  const bool terminal_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
  // What the line on the terminal takes, to be overwritten by blanks.
  size_t columns_ = 0;
};

// True when standard error is a terminal that can draw over a line.
bool StandardErrorIsTerminal();

// The line that the bar shows: `seconds` since the start. `total` 0 means that it is not known.
std::string ProgressText(uint64_t bytes_read, uint64_t total, double seconds);

// "31.2 MB"; powers of ten.
std::string BytesText(uint64_t bytes);

}  // namespace relations
