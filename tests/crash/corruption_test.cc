// A store that was stopped cleanly is damaged: a bit of some file flips, a file is cut, vanishes or
// takes another's place. It does not open and says so, or `check` finds the damage, or the damage
// is of no consequence. Only a manifest that lost its end opens all the same.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/rocks/integrity.h"
#include "tests/crash/crash_run.h"
#include "tests/crash/judged_store.h"
#include "tests/support/catch.h"
#include "tests/support/reference_import.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;

Files ReadAll(const std::string& directory) {
  Files files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    // RocksDB's own words about itself, and an empty file.
    if (name.rfind("LOG", 0) == 0 || name == "LOCK") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    files[name] = {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  return files;
}

// A sound store, some of it in table files and some in the log.
class Healthy {
 public:
  explicit Healthy(uint64_t seed) {
    const TempDir directory;
    JudgedStore store(directory.path(), nullptr, 0);
    SeededWorkload workload(seed);
    REQUIRE(store.Open().ok());
    for (int i = 0; i < 60; ++i) {
      store.Apply(workload.Next()).IgnoreError();
      if (i == 20 || i == 40) REQUIRE(store.Flush().ok());
    }
    REQUIRE(store.Compare() == "");
    state_ = store.model().state();
    store.Drop();
    files_ = ReadAll(directory.path());
  }
  const Files& files() const { return files_; }

  enum class Outcome { kRefused, kFound, kHarmless };

  // What comes of a store of these files. The test fails when it is served with other contents.
  Outcome Try(const Files& files) const {
    const TempDir directory;
    for (const auto& [name, bytes] : files) {
      std::ofstream(directory / name, std::ios::binary) << bytes;
    }
    const auto database =
        RocksDatabase::Open({directory.path(), OpenMode::kExisting, 8 << 20, nullptr});
    if (!database.ok()) {
      INFO(database.status().ToString());
      CHECK_FALSE(database.status().message().empty());
      return Outcome::kRefused;
    }
    const auto report = CheckIntegrity(**database);
    if (!report.ok() || !report->clean()) return Outcome::kFound;
    CHECK(Difference(state_, StateOf(**database)) == "");
    return Outcome::kHarmless;
  }

 private:
  ModelGraph::State state_;
  Files files_;
};

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Files whose loss must stop the start.
bool IsVital(const std::string& name) {
  return EndsWith(name, ".sst") || EndsWith(name, ".log") || name == "CURRENT" ||
         name.rfind("MANIFEST", 0) == 0;
}

TEST_CASE("a file that vanished, was cut or was replaced is noticed") {
  const Healthy healthy(CrashRun().seed());
  REQUIRE(healthy.Try(healthy.files()) == Healthy::Outcome::kHarmless);
  std::string other_table;
  for (const auto& [name, bytes] : healthy.files()) {
    CAPTURE(name);
    Files without = healthy.files();
    without.erase(name);
    const Healthy::Outcome lost = healthy.Try(without);
    if (IsVital(name) && !bytes.empty()) CHECK(lost == Healthy::Outcome::kRefused);

    Files cut = healthy.files();
    cut[name].resize(bytes.size() / 2);
    const Healthy::Outcome torn = healthy.Try(cut);
    if (!IsVital(name) || bytes.empty()) continue;
    if (name.rfind("MANIFEST", 0) == 0) {
      // What it lists then is an older state, which RocksDB takes for one: `check` must find it.
      CHECK(torn != Healthy::Outcome::kHarmless);
    } else {
      CHECK(torn == Healthy::Outcome::kRefused);
    }

    if (!EndsWith(name, ".sst")) continue;
    if (!other_table.empty()) {
      Files swapped = healthy.files();
      std::swap(swapped[name], swapped[other_table]);
      CHECK(healthy.Try(swapped) != Healthy::Outcome::kHarmless);
    }
    other_table = name;
  }
}

// A store of which every write is in the log alone, as after a crash, and what it held after each.
class OnlyLogged {
 public:
  OnlyLogged() {
    const TempDir directory;
    JudgedStore store(directory.path(), nullptr, 0);
    SeededWorkload workload(CrashRun().seed());
    REQUIRE(store.Open().ok());
    states_.push_back(store.model().state());
    for (int i = 0; i < 60; ++i) {
      if (store.Apply(workload.Next()).ok()) states_.push_back(store.model().state());
    }
    // As the files are while the process lives: nothing is flushed by closing.
    files_ = ReadAll(directory.path());
    for (const auto& [name, bytes] : files_) {
      if (EndsWith(name, ".log") && bytes.size() > files_[log_].size()) log_ = name;
    }
  }

  enum class Found { kRefused, kAll, kBeginning };

  // What a store with this log comes to. The test fails when it is anything but a beginning of what
  // was written, or not sound.
  Found With(const std::string& log) const {
    const TempDir directory;
    for (const auto& [name, bytes] : files_) {
      std::ofstream(directory / name, std::ios::binary) << (name == log_ ? log : bytes);
    }
    const auto database =
        RocksDatabase::Open({directory.path(), OpenMode::kExisting, 8 << 20, nullptr});
    if (!database.ok()) {
      CHECK(database.status().code() == absl::StatusCode::kDataLoss);
      return Found::kRefused;
    }
    const auto report = CheckIntegrity(**database);
    REQUIRE(report.ok());
    CHECK(report->clean());
    const ModelGraph::State found = StateOf(**database);
    if (Difference(states_.back(), found).empty()) return Found::kAll;
    CHECK(std::any_of(states_.begin(), states_.end(), [&](const ModelGraph::State& state) {
      return Difference(state, found).empty();
    }));
    return Found::kBeginning;
  }

  const std::string& log() const { return files_.at(log_); }

 private:
  std::vector<ModelGraph::State> states_;
  Files files_;
  std::string log_;
};

TEST_CASE("a log that lost its end opens to a beginning, wherever it was cut") {
  const OnlyLogged store;
  const std::string& log = store.log();
  REQUIRE(log.size() > 10'000);
  REQUIRE(store.With(log) == OnlyLogged::Found::kAll);
  // Every byte of the last records, and every so often before.
  std::map<OnlyLogged::Found, int> outcomes;
  for (size_t kept = 0; kept < log.size(); kept += kept + 64 < log.size() ? log.size() / 60 : 1) {
    CAPTURE(kept, log.size());
    ++outcomes[store.With(log.substr(0, kept))];
  }
  CHECK(outcomes[OnlyLogged::Found::kBeginning] > 50);
}

TEST_CASE("damage in the middle of a log stops the start, whatever it is") {
  const OnlyLogged store;
  const std::string& log = store.log();
  for (size_t place = 0; place < log.size() * 9 / 10; place += log.size() / 80) {
    CAPTURE(place, log.size());
    std::string flipped = log;
    flipped[place] = static_cast<char>(flipped[place] ^ 0x10);
    CHECK(store.With(flipped) == OnlyLogged::Found::kRefused);
  }
  std::string hole = log;
  hole.erase(log.size() / 2, 100);
  CHECK(store.With(hole) == OnlyLogged::Found::kRefused);
  std::string zeros = log;
  std::fill_n(zeros.begin() + static_cast<long>(log.size() / 2), 500, '\0');
  CHECK(store.With(zeros) == OnlyLogged::Found::kRefused);
}

TEST_CASE("a bit that flipped is never served as something else") {
  const CrashRun run;
  const Healthy healthy(run.seed());
  std::map<Healthy::Outcome, uint64_t> outcomes;
  uint64_t round = 0;
  for (; run.HasTimeFor(round); ++round) {
    std::mt19937_64 random(run.SeedOf(round));
    Files files = healthy.files();
    auto file = std::next(files.begin(), static_cast<long>(random() % files.size()));
    if (file->second.empty()) continue;
    const size_t place = random() % file->second.size();
    file->second[place] = static_cast<char>(file->second[place] ^ (1 << random() % 8));
    CAPTURE(run.SeedOf(round), file->first, place, file->second.size());
    ++outcomes[healthy.Try(files)];
  }
  WARN(round << " flips: " << outcomes[Healthy::Outcome::kRefused] << " refused, "
             << outcomes[Healthy::Outcome::kFound] << " found by check, "
             << outcomes[Healthy::Outcome::kHarmless] << " harmless");
  CHECK(outcomes[Healthy::Outcome::kRefused] > 0);
}

}  // namespace
}  // namespace relations
