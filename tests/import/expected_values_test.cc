// Real feeds: the values that a second implementation of the rules gave for the shared data. A
// value in normal form is its own normal form, and a url its host's.
#include <google/protobuf/util/json_util.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/struct.pb.h"
#include "storage/import/value_normaliser.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

std::string SharedData() {
  const char* named = std::getenv("RELATIONS_SHARED_DATA");
  return named != nullptr ? named : RELATIONS_SOURCE_DIR "/../shared/data";
}

bool HasSharedData() {
  if (std::filesystem::exists(SharedData() + "/expected")) return true;
  WARN("skipped: no shared data at " << SharedData());
  return false;
}

// The lines of a gzip file, each split at its tabs.
std::vector<std::vector<std::string>> ReadRows(const std::string& path) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), gzclose);
  REQUIRE(file != nullptr);
  std::string text;
  char buffer[1 << 16];
  for (int length = 0; (length = gzread(file.get(), buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(length));
  }
  std::vector<std::vector<std::string>> rows;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    rows.push_back(absl::StrSplit(line, '\t'));
  }
  return rows;
}

// Undoes the escapes of JSON.
std::string Plain(const std::string& escaped) {
  if (!absl::StrContains(escaped, '\\')) return escaped;
  google::protobuf::Value value;
  REQUIRE(
      google::protobuf::util::JsonStringToMessage(absl::StrCat("\"", escaped, "\""), &value).ok());
  return value.string_value();
}

// A # in a path: part of the path by data_types.tsv, the start of a fragment in feeds.
bool HasEscapedHash(const std::string& normal) { return absl::StrContains(normal, "%23"); }

TEST_CASE("every expected value of the shared feeds is its own cleaned and normal form") {
  if (!HasSharedData()) return;
  for (const std::string folder : {"stix", "misp"}) {
    const auto rows = ReadRows(SharedData() + "/expected/" + folder + ".entities.tsv.gz");
    REQUIRE(rows.size() > 10000);
    size_t other_urls = 0;
    for (const auto& row : rows) {
      const std::string& type = row.at(0);
      const std::string value = Plain(row.at(1));
      CAPTURE(folder, type, value);
      const absl::StatusOr<std::string> normal = NormaliseValue(type, value);
      const absl::StatusOr<TypedValue> cleaned = CleanValue(type, value);
      CAPTURE(normal.status().ToString(), cleaned.status().ToString());
      REQUIRE(normal.ok());
      REQUIRE(cleaned.ok());
      CHECK(*cleaned == TypedValue{type, value});
      if (type == "url" && *normal != value) {
        ++other_urls;
        CHECK(absl::StrContains(value, '#'));
        CHECK(HasEscapedHash(*normal));
      } else {
        CHECK(*normal == value);
      }
    }
    CHECK(other_urls == (folder == "stix" ? 1U : 7U));
  }
}

TEST_CASE("every url of the shared feeds has the host that is expected") {
  if (!HasSharedData()) return;
  for (const std::string folder : {"stix", "misp"}) {
    std::set<std::string> hosted;
    for (const auto& row : ReadRows(SharedData() + "/expected/" + folder + ".relations.tsv.gz")) {
      if (row.at(0) == "url" && row.at(2) == "hosted-on") {
        hosted.insert(absl::StrCat(row.at(1), "\t", row.at(3), "\t", row.at(4)));
      }
    }
    REQUIRE(hosted.size() > 1000);
    for (const auto& row : ReadRows(SharedData() + "/expected/" + folder + ".entities.tsv.gz")) {
      if (row.at(0) != "url") continue;
      CAPTURE(row.at(1));
      const absl::StatusOr<std::string> url = NormaliseValue("url", Plain(row.at(1)));
      REQUIRE(url.ok());
      const std::optional<TypedValue> host = HostOfUrl(*url);
      if (!host) continue;
      CHECK(hosted.erase(absl::StrCat(row.at(1), "\t", host->type, "\t", host->value)) == 1);
    }
    CAPTURE(hosted.empty() ? "" : *hosted.begin());
    CHECK(hosted.empty());
  }
}

TEST_CASE("every listed type is known") {
  if (!HasSharedData()) return;
  std::ifstream file(SharedData() + "/import_types.tsv");
  size_t types = 0;
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "#") || absl::StartsWith(line, "type\t")) continue;
    const std::string type = line.substr(0, line.find('\t'));
    CAPTURE(type);
    CHECK(IsKnownType(type == "x-*" ? "x-anything" : type));
    ++types;
  }
  CHECK(types == 142);
}

}  // namespace
}  // namespace relations
