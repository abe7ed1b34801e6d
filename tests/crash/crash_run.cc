#include "tests/crash/crash_run.h"

#include <cstdlib>

namespace relations {
namespace {

constexpr uint64_t kSeed = 20231;
constexpr uint64_t kSeconds = 7;

uint64_t Number(const char* variable, uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

CrashRun::CrashRun()
    : seed_(Number("RELATIONS_CRASH_SEED", kSeed)),
      seconds_(Number("RELATIONS_CRASH_SECONDS", kSeconds)),
      end_(std::chrono::steady_clock::now() + std::chrono::seconds(seconds_)) {}

bool CrashRun::HasTimeFor(uint64_t round) const {
  return round == 0 || std::chrono::steady_clock::now() < end_;
}

}  // namespace relations
