// Files, directories, standard input, compression, formats by name, progress and strictness.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/import/input_file.h"
#include "storage/import/input_paths.h"
#include "tests/import/collecting_sink.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

using Texts = std::vector<std::string>;

std::string Line(int number) {
  return absl::StrCat(R"({"id":"ip-)", number, R"(","type":"ip"})", "\n");
}

absl::Status ImportStatus(const Texts& paths, const ImportOptions& options = TestOptions()) {
  CollectingSink sink;
  return Import(paths, options, sink, nullptr).status();
}

TEST_CASE("gzip is told by its first bytes, whatever the name") {
  const TempDir directory;
  WriteGzip(directory / "packed.json", Line(1));
  WriteFile(directory / "plain.json.gz", Line(2));
  const Imported imported = ImportAll({directory.path()});
  CHECK(imported.sink.entities.size() == 2);
  CHECK(imported.totals.bytes == 2 * Line(1).size());
}

TEST_CASE("a file of several gzip members and padding is one text") {
  const TempDir directory;
  WriteGzip(directory / "a.gz", Line(1));
  WriteGzip(directory / "b.gz", Line(2));
  const std::string both = ReadWholeFile(directory / "a.gz") + ReadWholeFile(directory / "b.gz");
  WriteFile(directory / "both.jsonl.gz", both + std::string(1000, '\0'));
  CHECK(ImportAll({directory / "both.jsonl.gz"}).sink.entities.size() == 2);
}

TEST_CASE("damaged compressed lines are imported up to the damage, which is rejected") {
  const TempDir directory;
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    absl::StrAppend(&text, Line(i * 7919));
  }
  WriteGzip(directory / "good.jsonl.gz", text);
  const std::string packed = ReadWholeFile(directory / "good.jsonl.gz");
  WriteFile(directory / "a.jsonl.gz", packed.substr(0, packed.size() / 2));
  const Imported cut = ImportAll({directory / "a.jsonl.gz", directory / "good.jsonl.gz"});
  CHECK(cut.sink.entities.size() == 100'000);
  REQUIRE(cut.sink.rejections.size() == 1);
  CHECK(
      absl::EndsWith(cut.sink.rejections[0], ": the gzip data ends early: the file is truncated"));
  CHECK_FALSE(absl::StrContains(cut.sink.rejections[0], "a.jsonl.gz:1: "));

  std::string flipped = packed;
  flipped[packed.size() - 6] ^= 1;
  WriteFile(directory / "b.jsonl.gz", flipped);
  const Imported damaged = ImportAll({directory / "b.jsonl.gz"});
  REQUIRE(damaged.sink.rejections.size() == 1);
  CHECK(absl::StrContains(damaged.sink.rejections[0], "damaged gzip data: incorrect data check"));

  WriteFile(directory / "c.jsonl.gz", packed + "tail");
  const Imported tail = ImportAll({directory / "c.jsonl.gz"});
  REQUIRE(tail.sink.rejections.size() == 1);
  CHECK(
      absl::EndsWith(tail.sink.rejections[0], "bytes that are no gzip follow the compressed data"));
  CHECK(tail.sink.entities.size() == 100'000);
}

TEST_CASE("a truncated compressed document is rejected whole") {
  const TempDir directory;
  WriteGzip(directory / "good.gz",
            ReadWholeFile(RELATIONS_SOURCE_DIR "/tests/import/data/bundle.json"));
  const std::string packed = ReadWholeFile(directory / "good.gz");
  for (const size_t length : {size_t{3}, size_t{10}, packed.size() / 2, packed.size() - 1}) {
    WriteFile(directory / "a.json.gz", packed.substr(0, length));
    const Imported imported = ImportAll({directory / "a.json.gz"});
    CHECK(imported.sink.entities.empty());
    REQUIRE(imported.sink.rejections.size() == 1);
    CHECK(absl::EndsWith(imported.sink.rejections[0],
                         "the gzip data ends early: the file is truncated"));
  }
}

TEST_CASE("a directory gives its files of imported kinds in the order of their names") {
  const TempDir directory;
  std::filesystem::create_directories(directory / "b/deep");
  std::filesystem::create_directories(directory / ".hidden");
  for (const std::string name :
       {"z.json", "b/deep/y.NDJSON", "b/x.jsonl.gz", "a.stix2", "c.misp", "d.stix", ".dot.json",
        ".hidden/a.json", "notes.txt", "table.csv", "e.json.bak", "b/README"}) {
    WriteFile(directory / name, "");
  }
  const auto inputs = ExpandPaths({directory.path()});
  REQUIRE(inputs.ok());
  Texts names;
  for (const std::string& file : inputs->files) {
    names.push_back(file.substr(directory.path().size() + 1));
  }
  CHECK(names == Texts{"a.stix2", "b/deep/y.NDJSON", "b/x.jsonl.gz", "c.misp", "d.stix", "z.json"});
  CHECK(inputs->other_files == 4);
  CHECK(inputs->failures.empty());
}

TEST_CASE("links to directories are not followed, so circles end") {
  const TempDir directory;
  std::filesystem::create_directory_symlink(directory.path(), directory / "self");
  WriteFile(directory / "a.jsonl", Line(1));
  std::filesystem::create_symlink(directory / "a.jsonl", directory / "link.jsonl");
  const auto inputs = ExpandPaths({directory.path()});
  REQUIRE(inputs.ok());
  CHECK(inputs->files == Texts{directory / "a.jsonl", directory / "link.jsonl"});
}

TEST_CASE("a directory without anything to import is rejected") {
  const TempDir directory;
  const Imported empty = ImportAll({directory.path()});
  CHECK(empty.sink.rejections ==
        Texts{directory.path() + ": the directory holds no file that can be imported"});
  WriteFile(directory / "a.txt", "x");
  const Imported other = ImportAll({directory.path()});
  CHECK(other.sink.rejections.size() == 1);
  CHECK(other.totals.skipped.at("file of another kind") == 1);
}

TEST_CASE("paths that can be no input are an error before anything is read") {
  const TempDir directory;
  WriteFile(directory / "a.jsonl", Line(1));
  WriteFile(directory / "t.csv", "a,b\n");
  WriteFile(directory / "t.TSV.gz", "a\tb\n");
  CollectingSink sink;
  const auto missing =
      Import({directory / "a.jsonl", directory / "none"}, TestOptions(), sink, nullptr);
  CHECK(missing.status().code() == absl::StatusCode::kNotFound);
  CHECK(missing.status().message() == directory / "none" + ": No such file or directory");
  for (const std::string name : {"t.csv", "t.TSV.gz"}) {
    const auto table =
        Import({directory / "a.jsonl", directory / name}, TestOptions(), sink, nullptr);
    CHECK(table.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(absl::StrContains(table.status().message(), "tables are not imported"));
  }
  CHECK(ImportStatus({}).code() == absl::StatusCode::kInvalidArgument);
  CHECK(ImportStatus({"-", "-"}).code() == absl::StatusCode::kInvalidArgument);
  CHECK(sink.entities.empty());
}

TEST_CASE("a file that cannot be read is rejected and the next is imported") {
  const TempDir directory;
  WriteFile(directory / "a.jsonl", Line(1));
  const auto inputs = InputFile::Open(directory / "gone", {});
  CHECK(inputs.status().message() == "cannot be opened: No such file or directory");
  const auto opened = InputFile::Open(directory.path(), {});
  REQUIRE(opened.ok());
  char byte;
  CHECK((*opened)->Read(&byte, 1).status().message() == "cannot be read: Is a directory");
}

TEST_CASE("options are checked") {
  const TempDir directory;
  WriteFile(directory / "a.jsonl", Line(1));
  for (const GroupSet& groups :
       {GroupSet{}, GroupSet{"a,b"}, GroupSet{""}, GroupSet(limits::kVisibleByMax + 1, "g")}) {
    ImportOptions options = TestOptions();
    options.visible_by = groups;
    CHECK(ImportStatus({directory / "a.jsonl"}, options).code() ==
          absl::StatusCode::kInvalidArgument);
  }
  ImportOptions options = TestOptions();
  options.now = ImportOptions().now;
  CHECK(ImportStatus({directory / "a.jsonl"}, options).message() ==
        "the time of the import is not set");
}

// Makes a file the standard input for as long as it lives.
class StandardInput {
 public:
  explicit StandardInput(const std::string& path) : saved_(dup(STDIN_FILENO)) {
    const int file = open(path.c_str(), O_RDONLY);
    REQUIRE(file >= 0);
    REQUIRE(dup2(file, STDIN_FILENO) == STDIN_FILENO);
    close(file);
  }
  ~StandardInput() {
    dup2(saved_, STDIN_FILENO);
    close(saved_);
  }

 private:
  const int saved_;
};

TEST_CASE("standard input is read as any file, packed or not") {
  const TempDir directory;
  WriteFile(directory / "plain", Line(1) + "bad\n");
  WriteGzip(directory / "packed", Line(1) + "bad\n");
  for (const std::string name : {"plain", "packed"}) {
    const StandardInput input(directory / name);
    const Imported imported = ImportAll({"-"});
    CHECK(imported.sink.entities.size() == 1);
    REQUIRE(imported.sink.rejections.size() == 1);
    CHECK(absl::StartsWith(imported.sink.rejections[0], "-:2: not JSON"));
  }
}

TEST_CASE("the content decides the format, the name only where the first line is broken") {
  const std::string tool = R"({"type":"tool","id":"tool--1","name":"T"})";
  CHECK(ImportText("a.jsonl", tool).sink.EntityNames() == std::set<std::string>{"tool t"});
  CHECK(ImportText("a.json", Line(1) + Line(2)).sink.entities.size() == 2);
  const Imported lines = ImportText("a.ndjson", "{\"id\":\n" + Line(1));
  CHECK(lines.sink.entities.size() == 1);
  CHECK(lines.sink.rejections.size() == 1);
  const Imported document = ImportText("a.json", "{\"id\":\n" + Line(1));
  CHECK(document.sink.entities.empty());
  CHECK(document.sink.rejections.size() == 1);
}

TEST_CASE("a format that is asked for is that of every file") {
  ImportOptions options = TestOptions();
  const std::string tool = R"({"type":"tool","id":"tool--1","name":"T"})";
  options.format = ImportFormat::kJsonLines;
  CHECK(ImportText("a.json", tool, options).sink.entities.count("tool--1") == 1);
  CHECK(ImportText("a.json", "", options).sink.rejections.empty());
  options.format = ImportFormat::kStix;
  CHECK(ImportText("a.jsonl", tool, options).sink.EntityNames() == std::set<std::string>{"tool t"});
  CHECK(ImportText("a.json", R"({"type":"mutex","name":"M"})", options).sink.EntityNames() ==
        std::set<std::string>{"mutex M"});
  options.format = ImportFormat::kMisp;
  CHECK(ImportText("a.json", tool, options).sink.rejections ==
        Texts{"a.json: event number 1: no event: neither Event nor info is there"});
  ImportFormat format = ImportFormat::kAuto;
  CHECK(ParseImportFormat("misp", &format));
  CHECK(format == ImportFormat::kMisp);
  CHECK_FALSE(ParseImportFormat("csv", &format));
  CHECK(format == ImportFormat::kMisp);
}

TEST_CASE("a strict import ends at the first rejection") {
  const TempDir directory;
  WriteFile(directory / "a.jsonl", Line(1) + "bad\n" + Line(2));
  WriteFile(directory / "b.jsonl", Line(3));
  ImportOptions options = TestOptions();
  options.strict = true;
  CollectingSink sink;
  const auto totals = Import({directory.path()}, options, sink, nullptr);
  CHECK(totals.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(absl::StartsWith(totals.status().message(), directory / "a.jsonl" + ":2: not JSON"));
  CHECK(sink.entities.size() == 1);
  CHECK(sink.rejections.size() == 1);
}

// Refuses the first of what it is told to.
class FailingSink final : public CollectingSink {
 public:
  explicit FailingSink(const std::string& what) : what_(what) {}
  absl::Status OnEntity(relations::v1::Entity, const ImportPosition&) override {
    return Answer("entity");
  }
  absl::Status OnRelation(ImportedRelation, const ImportPosition&) override {
    return Answer("relation");
  }
  absl::Status OnRejected(const ImportPosition&, absl::string_view) override {
    return Answer("rejected");
  }

 private:
  absl::Status Answer(const std::string& call) const {
    return call == what_ ? absl::UnavailableError("disk full") : absl::OkStatus();
  }
  const std::string what_;
};

TEST_CASE("an error of the sink ends the import with that error") {
  for (const std::string name : {"bundle.json", "event.json", "graph.jsonl"}) {
    for (const std::string what : {"entity", "relation"}) {
      FailingSink sink(what);
      const auto totals =
          Import({RELATIONS_SOURCE_DIR "/tests/import/data/" + name}, TestOptions(), sink, nullptr);
      CHECK(totals.status().message() == "disk full");
    }
  }
  FailingSink sink("rejected");
  CHECK(Import({RELATIONS_SOURCE_DIR "/tests/import/data/event.json"}, TestOptions(), sink, nullptr)
            .status()
            .message() == "disk full");
}

class RecordingProgress final : public ImportProgress {
 public:
  void OnBytes(uint64_t bytes_read, uint64_t total) override {
    CHECK(bytes_read > last_);
    last_ = bytes_read;
    total_ = total;
  }
  uint64_t last_ = 0;
  uint64_t total_ = 0;
};

TEST_CASE("progress reaches the size of all files, compressed as they are") {
  const TempDir directory;
  WriteFile(directory / "a.jsonl", Line(1));
  WriteGzip(directory / "b.jsonl.gz", Line(2));
  const uint64_t size = std::filesystem::file_size(directory / "a.jsonl") +
                        std::filesystem::file_size(directory / "b.jsonl.gz");
  CollectingSink sink;
  RecordingProgress progress;
  const auto totals = Import({directory.path()}, TestOptions(), sink, &progress);
  REQUIRE(totals.ok());
  CHECK(progress.last_ == size);
  CHECK(progress.total_ == size);
  CHECK(totals->bytes_read == size);
  CHECK(totals->bytes == Line(1).size() + Line(2).size());
  CHECK(totals->files == 2);
  const StandardInput input(directory / "a.jsonl");
  RecordingProgress unknown;
  REQUIRE(Import({"-"}, TestOptions(), sink, &unknown).ok());
  CHECK(unknown.total_ == 0);
}

}  // namespace
}  // namespace relations
