// The parts of the bulk import that stand for themselves.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/rocks/background_worker.h"
#include "storage/rocks/bulk_ends.h"
#include "storage/rocks/bulk_records.h"
#include "storage/rocks/bulk_scratch.h"
#include "storage/rocks/bulk_sorter.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

std::unique_ptr<ScratchDirectory> Scratch(const TempDir& directory) {
  auto scratch = ScratchDirectory::Create(directory.path());
  REQUIRE(scratch.ok());
  return *std::move(scratch);
}

using Records = std::vector<std::pair<std::string, std::string>>;

Records RandomRecords(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  Records records;
  for (size_t i = 0; i < count; ++i) {
    // Short and long keys, with shared beginnings, zeros and bytes of 255.
    std::string key(random() % 40, 'k');
    for (char& c : key) {
      if (random() % 4 == 0) c = static_cast<char>(random() % 3 == 0 ? 0 : random());
    }
    records.emplace_back(key, std::string(random() % 50, static_cast<char>(i)));
  }
  return records;
}

Records Sorted(BulkSorter& sorter, const Records& records) {
  for (const auto& [key, payload] : records) REQUIRE(sorter.Add(key, payload).ok());
  REQUIRE(sorter.Finish().ok());
  Records sorted;
  while (true) {
    const auto more = sorter.Next();
    REQUIRE(more.ok());
    if (!*more) return sorted;
    sorted.emplace_back(sorter.key(), sorter.payload());
  }
}

TEST_CASE("a sorter gives back what it was given, in order, whatever its memory") {
  const TempDir directory;
  const auto scratch = Scratch(directory);
  BackgroundWorker worker(1);
  Records records = RandomRecords(3000, 7);
  Records expected = records;
  std::sort(expected.begin(), expected.end());
  for (const size_t memory : {size_t{1}, size_t{3000}, size_t{100'000}, size_t{64} << 20}) {
    for (BackgroundWorker* const thread : {static_cast<BackgroundWorker*>(nullptr), &worker}) {
      CAPTURE(memory);
      BulkSorter sorter(scratch.get(), thread, memory);
      Records sorted = Sorted(sorter, records);
      CHECK(std::is_sorted(sorted.begin(), sorted.end(),
                           [](const auto& a, const auto& b) { return a.first < b.first; }));
      // Those of equal keys come in any order.
      std::sort(sorted.begin(), sorted.end());
      CHECK(sorted == expected);
      CHECK((sorter.runs() == 0) == (memory > 1'000'000));
    }
  }
}

TEST_CASE("a sorter of distinct keys gives each once") {
  const TempDir directory;
  const auto scratch = Scratch(directory);
  Records records;
  for (int i = 0; i < 2000; ++i) records.emplace_back(absl::StrCat("key ", i % 37), "same");
  for (const size_t memory : {size_t{1}, size_t{5000}, size_t{64} << 20}) {
    BulkSorter sorter(scratch.get(), nullptr, memory, BulkSorter::EqualKeys::kKeepOne);
    const Records sorted = Sorted(sorter, records);
    CHECK(sorted.size() == 37);
    CHECK(std::is_sorted(sorted.begin(), sorted.end()));
  }
}

TEST_CASE("a sorter without records is empty") {
  const TempDir directory;
  const auto scratch = Scratch(directory);
  BulkSorter sorter(scratch.get(), nullptr, 1000);
  CHECK(Sorted(sorter, {}).empty());
}

TEST_CASE("scratch is emptied at the start and removed at the end") {
  const TempDir directory;
  const std::string path = directory / "import.tmp";
  std::filesystem::create_directory(path);
  std::ofstream(path + "/left.sst") << "half a file";
  {
    const auto scratch = Scratch(directory);
    CHECK(std::filesystem::is_empty(path));
    const auto file = scratch->NewFile();
    REQUIRE(file.ok());
    REQUIRE((*file)->Append("something").ok());
    REQUIRE((*file)->Flush().ok());
    CHECK(std::filesystem::is_empty(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a scratch file that ends early is damaged, not short") {
  const TempDir directory;
  const auto scratch = Scratch(directory);
  const auto file = scratch->NewFile();
  REQUIRE(file.ok());
  // The frame says 100 bytes and has 5.
  REQUIRE((*file)->Append("\x64short").ok());
  REQUIRE((*file)->Flush().ok());
  ScratchReader reader(file->get(), 16);
  absl::string_view frame;
  CHECK(reader.Next(&frame).status().code() == absl::StatusCode::kDataLoss);
}

TEST_CASE("frames larger than the reader's buffer are read whole") {
  const TempDir directory;
  const auto scratch = Scratch(directory);
  const auto file = scratch->NewFile();
  REQUIRE(file.ok());
  std::vector<std::string> frames;
  for (size_t size : {0, 1, 5, 1000, 3, 70'000, 2}) frames.emplace_back(size, 'x');
  for (const std::string& frame : frames) {
    REQUIRE((*file)
                ->AppendFrame(absl::string_view(frame).substr(0, frame.size() / 2),
                              absl::string_view(frame).substr(frame.size() / 2))
                .ok());
  }
  REQUIRE((*file)->Flush().ok());
  ScratchReader reader(file->get(), 16);
  for (const std::string& expected : frames) {
    absl::string_view frame;
    const auto more = reader.Next(&frame);
    REQUIRE(more.ok());
    REQUIRE(*more);
    CHECK(frame == expected);
  }
  absl::string_view frame;
  const auto more = reader.Next(&frame);
  REQUIRE(more.ok());
  CHECK_FALSE(*more);
}

TEST_CASE("a worker does its jobs in order and keeps the first error") {
  BackgroundWorker worker(2);
  std::vector<int> done;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(worker
                .Submit([&done, i] {
                  done.push_back(i);
                  return absl::OkStatus();
                })
                .ok());
  }
  REQUIRE(worker.Wait().ok());
  CHECK(done.size() == 100);
  CHECK(std::is_sorted(done.begin(), done.end()));
  REQUIRE(worker.Submit([] { return absl::DataLossError("first"); }).ok());
  CHECK(worker.Wait().message() == "first");
  CHECK(worker.Submit([] { return absl::InternalError("second"); }).message() == "first");
  CHECK(worker.Wait().message() == "first");
}

TEST_CASE("ends are found in the part of their fingerprint, and in no other") {
  const TempDir directory;
  const auto scratch = Scratch(directory);
  const auto ends = EndFile::Create(scratch.get());
  REQUIRE(ends.ok());
  const FingerprintMaker fingerprint;
  constexpr uint64_t kEnds = 500;
  for (uint64_t i = 1; i <= kEnds; ++i) {
    End end;
    end.node = NodeId{i};
    end.order = i * 7;
    REQUIRE((*ends)->Add(fingerprint(absl::StrCat("ip-", i)), end).ok());
  }
  REQUIRE((*ends)->AddMissing(fingerprint("ip-none"), "ip-none").ok());
  REQUIRE((*ends)->Flush().ok());
  CHECK(EndTable::PartsFor(kEnds, 1 << 20) == 1);
  const uint64_t parts = EndTable::PartsFor(kEnds, 4000);
  REQUIRE(parts > 4);
  std::map<uint64_t, int> found;
  for (uint64_t part = 0; part < parts; ++part) {
    const auto table = EndTable::Load(**ends, part, parts);
    REQUIRE(table.ok());
    for (uint64_t i = 1; i <= kEnds; ++i) {
      const Fingerprint wanted = fingerprint(absl::StrCat("ip-", i));
      const End* const end = (*table)->Find(wanted);
      CHECK((end != nullptr) == (EndTable::PartOf(wanted, parts) == part));
      if (end != nullptr && end->node == NodeId{i} && end->order == i * 7) ++found[i];
    }
    const End* const missing = (*table)->Find(fingerprint("ip-none"));
    if (missing != nullptr) {
      CHECK(missing->missing());
      CHECK((*ends)->MissingId(*missing).value() == "ip-none");
    }
    CHECK((*table)->Find(fingerprint("ip-unknown")) == nullptr);
  }
  CHECK(found.size() == kEnds);
}

TEST_CASE("two ids of one fingerprint are an error") {
  const TempDir directory;
  const auto scratch = Scratch(directory);
  const auto ends = EndFile::Create(scratch.get());
  REQUIRE(ends.ok());
  REQUIRE((*ends)->Add({1, 2}, End{}).ok());
  REQUIRE((*ends)->Add({1, 2}, End{}).ok());
  REQUIRE((*ends)->Flush().ok());
  CHECK(EndTable::Load(**ends, 0, 1).status().code() == absl::StatusCode::kInternal);
}

TEST_CASE("positions and times come back from their bytes") {
  PositionCoder coder;
  std::string bytes;
  const std::vector<ImportPosition> positions = {
      {"a", 1, ""}, {"a", 70'000, ""}, {"b", 0, "object x"}, {"a", 2, "y"}};
  for (const ImportPosition& position : positions) coder.Put(position, bytes);
  absl::string_view rest = bytes;
  for (const ImportPosition& position : positions) {
    ImportPosition found;
    REQUIRE(coder.Get(&rest, &found));
    CHECK(found.file == position.file);
    CHECK(found.line == position.line);
    CHECK(found.where == position.where);
  }
  CHECK(rest.empty());
  for (const absl::Time time :
       {absl::FromUnixSeconds(-62'135'596'800), absl::FromUnixSeconds(0),
        absl::FromUnixSeconds(253'402'300'799) + absl::Nanoseconds(999'999'999)}) {
    std::string text;
    PutBulkTime(InstantOf(time), text);
    absl::string_view view = text;
    Instant found;
    REQUIRE(GetBulkTime(&view, &found));
    CHECK(TimeOf(found) == time);
  }
}

}  // namespace
}  // namespace relations
