// What an importer gives: the entities and relations that its input holds, and what it left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "relations/v1/relations.pb.h"
#include "storage/graph_types.h"

namespace relations {

// Where in the input something stands.
struct ImportPosition {
  // As the user named it; "-" for standard input.
  std::string file;
  // From 1; 0 when the place is better told by `where`.
  uint64_t line = 0;
  // For example "object indicator--8e2e2d2b..." or "attribute 4ab1..."; may be empty.
  std::string where;
};

struct ImportedRelation {
  std::string source;
  std::string target;
  // Already made safe: a-z 0-9 and '-'.
  std::string type;
  RelationMode mode = RelationMode::kAssociation;
  // When absent: the older of the two ends' last_seen.
  std::optional<absl::Time> last_seen;
  // When absent: what both ends share.
  std::optional<GroupSet> visible_by;
};

// Receives an import in the order of the input; the same entity or relation may come many times,
// and a relation may come before its ends. A status that is not OK ends the import with that
// status.
class ImportSink {
 public:
  virtual ~ImportSink() = default;
  virtual absl::Status OnEntity(relations::v1::Entity entity, const ImportPosition& position) = 0;
  virtual absl::Status OnRelation(ImportedRelation relation, const ImportPosition& position) = 0;
  // Something that should have been an entity or a relation and cannot be.
  virtual absl::Status OnRejected(const ImportPosition& position, absl::string_view reason) = 0;
  // Something that is not mapped, which is no error; counted by kind.
  virtual void OnSkipped(absl::string_view kind) = 0;
};

}  // namespace relations
