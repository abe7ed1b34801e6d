#include "tests/import/collecting_sink.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/import/import_run.h"
#include "storage/import/timestamp_text.h"
#include "storage/import/value_normaliser.h"
#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

namespace relations {
namespace {

std::string ValueText(const google::protobuf::Value& value) {
  if (value.kind_case() == google::protobuf::Value::kNumberValue) {
    return NumberText(value.number_value());
  }
  return value.string_value();
}

std::string Sha256(const std::string& text) {
  std::array<unsigned char, 32> digest;
  unsigned int size = 0;
  REQUIRE(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace

absl::Status CollectingSink::OnEntity(relations::v1::Entity entity, const ImportPosition&) {
  statements.insert(entity.SerializeAsString());
  entities[entity.id()] = std::move(entity);
  return absl::OkStatus();
}

absl::Status CollectingSink::OnRelation(ImportedRelation relation, const ImportPosition&) {
  REQUIRE(relation.source != relation.target);
  statements.insert(absl::StrCat(
      relation.source, " ", relation.target, " ", relation.type, " ",
      RelationModeName(relation.mode), " ",
      relation.last_seen.has_value() ? absl::FormatTime(*relation.last_seen, absl::UTCTimeZone())
                                     : "-",
      " ", relation.visible_by.has_value() ? absl::StrJoin(*relation.visible_by, ",") : "-"));
  relations[{relation.source, relation.target, relation.type}] = std::move(relation);
  return absl::OkStatus();
}

absl::Status CollectingSink::OnRejected(const ImportPosition& position, absl::string_view reason) {
  rejections.push_back(absl::StrCat(PositionText(position), reason));
  return absl::OkStatus();
}

std::string NameOf(const relations::v1::Entity& entity) {
  const auto value = entity.attributes().find(entity.type());
  return absl::StrCat(entity.type(), " ",
                      value == entity.attributes().end() ? entity.id() : ValueText(value->second));
}

std::set<std::string> CollectingSink::EntityNames() const {
  std::set<std::string> names;
  for (const auto& [id, entity] : entities) {
    names.insert(NameOf(entity));
  }
  return names;
}

std::set<std::string> CollectingSink::RelationNames() const {
  const auto name = [this](const std::string& id) {
    const auto entity = entities.find(id);
    return entity == entities.end() ? id : NameOf(entity->second);
  };
  std::set<std::string> names;
  for (const auto& [key, relation] : relations) {
    names.insert(
        absl::StrCat(name(relation.source), " -", relation.type, "-> ", name(relation.target)));
  }
  return names;
}

const relations::v1::Entity& CollectingSink::EntityNamed(const std::string& name) const {
  for (const auto& [id, entity] : entities) {
    if (NameOf(entity) == name) return entity;
  }
  FAIL("no entity " << name);
  std::abort();
}

std::string CollectingSink::EntityDigest() const {
  std::string text;
  for (const auto& [id, entity] : entities) {
    absl::StrAppend(&text, id, "\n");
  }
  return Sha256(text);
}

std::string CollectingSink::RelationDigest() const {
  // The separators sort below what ids and types hold, so that the order of keys is that of lines.
  std::string text;
  for (const auto& [key, relation] : relations) {
    absl::StrAppend(&text, relation.source, "\t", relation.target, "\t", relation.type, "\n");
  }
  return Sha256(text);
}

absl::Time TestNow() { return *ParseRfc3339("2024-01-02T03:04:05Z"); }

ImportOptions TestOptions() {
  ImportOptions options;
  options.now = TestNow();
  return options;
}

Imported ImportAll(const std::vector<std::string>& paths, const ImportOptions& options) {
  Imported imported;
  const absl::StatusOr<ImportTotals> totals = Import(paths, options, imported.sink, nullptr);
  INFO(totals.status());
  REQUIRE(totals.ok());
  imported.totals = *totals;
  REQUIRE(imported.totals.rejected == imported.sink.rejections.size());
  REQUIRE(imported.totals.skipped == imported.sink.skipped);
  return imported;
}

Imported ImportText(const std::string& name, const std::string& text,
                    const ImportOptions& options) {
  const TempDir directory;
  WriteFile(directory / name, text);
  Imported imported = ImportAll({directory / name}, options);
  // Positions without the directory, whose name is another each time.
  for (std::string& rejection : imported.sink.rejections) {
    rejection.erase(0, directory.path().size() + 1);
  }
  return imported;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  REQUIRE(file.good());
}

void WriteGzip(const std::string& path, const std::string& text) {
  const gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) ==
          static_cast<int>(text.size()));
  REQUIRE(gzclose(file) == Z_OK);
}

std::string ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace relations
