// A sink that keeps what an import gives, each entity and relation once, for tests.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage/import/import_sink.h"
#include "storage/import/importer.h"

namespace relations {

class CollectingSink : public ImportSink {
 public:
  absl::Status OnEntity(relations::v1::Entity entity, const ImportPosition&) override;
  absl::Status OnRelation(ImportedRelation relation, const ImportPosition& position) override;
  absl::Status OnRejected(const ImportPosition& position, absl::string_view reason) override;
  void OnSkipped(absl::string_view kind) override { ++skipped[std::string(kind)]; }

  // "type value", the value being the attribute named like the type, or the id without one.
  std::set<std::string> EntityNames() const;
  // "name -type-> name"; an end that is not there is shown by its id.
  std::set<std::string> RelationNames() const;
  // All that was said of entities and relations, as text that does not depend on the order in which
  // it came.
  std::set<std::string> Statements() const { return statements; }
  // The entity of that name; fails the test when there is none.
  const relations::v1::Entity& EntityNamed(const std::string& name) const;

  // SHA-256 in hexadecimal over the sorted ids, and over source TAB target TAB type, a line each.
  std::string EntityDigest() const;
  std::string RelationDigest() const;

  std::map<std::string, relations::v1::Entity> entities;
  // source, target, type.
  std::map<std::tuple<std::string, std::string, std::string>, ImportedRelation> relations;
  std::set<std::string> statements;
  // "position: reason", in order.
  std::vector<std::string> rejections;
  std::map<std::string, uint64_t> skipped;
};

// The name of an entity as EntityNames gives it.
std::string NameOf(const relations::v1::Entity& entity);

// Options with a fixed time.
ImportOptions TestOptions();

// 2024-01-02T03:04:05Z, the time of imports in tests.
absl::Time TestNow();

// What an import of `paths` gives; the test fails when the import does.
struct Imported {
  CollectingSink sink;
  ImportTotals totals;
};
Imported ImportAll(const std::vector<std::string>& paths,
                   const ImportOptions& options = TestOptions());
// The same for one file of the given name and text in a directory of its own.
Imported ImportText(const std::string& name, const std::string& text,
                    const ImportOptions& options = TestOptions());

void WriteFile(const std::string& path, const std::string& text);
// Writes `text` compressed.
void WriteGzip(const std::string& path, const std::string& text);
std::string ReadWholeFile(const std::string& path);

}  // namespace relations
