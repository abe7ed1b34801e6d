#include "tests/bench/measure.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

namespace relations::bench {
namespace {

int64_t Nanos(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t WallNanos() { return Nanos(CLOCK_MONOTONIC); }
int64_t ThreadCpuNanos() { return Nanos(CLOCK_THREAD_CPUTIME_ID); }
int64_t ProcessCpuNanos() { return Nanos(CLOCK_PROCESS_CPUTIME_ID); }

double Samples::Micros(double share) {
  if (nanos_.empty()) return 0;
  if (!sorted_) std::sort(nanos_.begin(), nanos_.end());
  sorted_ = true;
  const auto index = static_cast<size_t>(share * static_cast<double>(nanos_.size()));
  return static_cast<double>(nanos_[std::min(index, nanos_.size() - 1)]) / 1000;
}

double Samples::MeanMicros() const {
  if (nanos_.empty()) return 0;
  const auto sum = std::accumulate(nanos_.begin(), nanos_.end(), int64_t{0});
  return static_cast<double>(sum) / 1000 / static_cast<double>(nanos_.size());
}

std::string MachineLine() {
  std::string model = "unknown CPU";
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    if (!absl::StartsWith(line, "model name")) continue;
    model = std::string(absl::StripAsciiWhitespace(line.substr(line.find(':') + 1)));
    break;
  }
  double load = 0;
  getloadavg(&load, 1);
  return absl::StrFormat("machine: %s, %d cores, load %.2f", model, sysconf(_SC_NPROCESSORS_ONLN),
                         load);
}

uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  file >> total_pages >> resident_pages;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace relations::bench
