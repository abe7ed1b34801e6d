#include "server/ctl/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace relations {
namespace {

constexpr std::chrono::milliseconds kRedraw(100);
constexpr size_t kBarColumns = 20;
// A rate from less than this says nothing.
constexpr double kSecondsBeforeRate = 0.5;

std::string DurationText(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole >= 3600) {
    return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
}

}  // namespace

std::string BytesText(uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  // 999.95 would be printed as 1000.0.
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string ProgressText(uint64_t bytes_read, uint64_t total, double seconds) {
  std::string text;
  // A file that grows meanwhile must not give 104 %.
  const uint64_t done = total == 0 ? bytes_read : std::min(bytes_read, total);
  if (total > 0) {
    const double share = static_cast<double>(done) / static_cast<double>(total);
    const auto filled = static_cast<size_t>(share * kBarColumns);
    absl::StrAppend(&text, "[", std::string(filled, '#'), std::string(kBarColumns - filled, '-'),
                    "] ", absl::StrFormat("%3d%%", static_cast<int>(share * 100)), "  ",
                    BytesText(done), " of ", BytesText(total));
  } else {
    absl::StrAppend(&text, BytesText(done), " read");
  }
  if (seconds < kSecondsBeforeRate || done == 0) return text;
  const double rate = static_cast<double>(done) / seconds;
  absl::StrAppend(&text, "  ", BytesText(static_cast<uint64_t>(rate)), "/s");
  if (total > 0) {
    absl::StrAppend(&text, "  ETA ", DurationText(static_cast<double>(total - done) / rate));
  }
  return text;
}

bool StandardErrorIsTerminal() {
  const char* const term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string(term) != "dumb";
}

ProgressBar::ProgressBar(bool terminal)
    : terminal_(terminal), start_(std::chrono::steady_clock::now()) {}

void ProgressBar::OnBytes(uint64_t bytes_read, uint64_t total) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (columns_ > 0 && now - drawn_ < kRedraw) return;
  drawn_ = now;
  Draw(ProgressText(bytes_read, total, std::chrono::duration<double>(now - start_).count()));
}

void ProgressBar::ShowStep(const std::string& step) {
  if (terminal_) Draw(step);
}

void ProgressBar::Clear() {
  if (columns_ == 0) return;
  std::cerr << "\r" << std::string(columns_, ' ') << "\r" << std::flush;
  columns_ = 0;
}

void ProgressBar::Draw(const std::string& line) {
  const size_t before = columns_;
  std::cerr << "\r" << line;
  if (before > line.size()) std::cerr << std::string(before - line.size(), ' ');
  std::cerr << std::flush;
  columns_ = std::max(before, line.size());
}

}  // namespace relations
