// The graph that a document or a set of objects holds, gathered before it goes to the sink: every
// entity once with all that its mentions say together, every relation once. What is emitted does
// not depend on the order in which it was gathered.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "storage/import/import_run.h"
#include "storage/import/import_sink.h"
#include "storage/import/value_normaliser.h"

namespace relations {

// What one mention of an entity tells besides its value. Of several mentions the latest times and
// all tags count.
struct Mention {
  std::optional<absl::Time> timestamp;
  // When absent: the timestamp.
  std::optional<absl::Time> last_seen;
  std::vector<std::string> tags;
};

// Not thread-safe.
class GraphDraft {
 public:
  // The number of an entity in this draft.
  using Node = uint32_t;

  // Adds a mention of an entity. A url brings its host along, with the mention's times (M5).
  Node AddEntity(const TypedValue& value, const Mention& mention, const ImportPosition& position);

  // Adds a relation; one of an entity to itself is dropped. RESOURCE_EXHAUSTED when the draft has
  // limits::kImportDraftRelationsMax already.
  absl::Status AddRelation(Node source, Node target, absl::string_view type,
                           std::optional<absl::Time> last_seen, const ImportPosition& position);

  // The part that anchors a thing of `parts`, of which there is at least one (M6).
  Node AnchorOf(absl::Span<const Node> parts) const;
  // Relates the anchor to each other part.
  absl::Status RelateParts(absl::Span<const Node> parts, std::optional<absl::Time> last_seen,
                           const ImportPosition& position);

  // Gives all to the sink: entities in the order of their ids, then relations.
  absl::Status Emit(ImportRun& run) const;

 private:
  struct Place {
    uint32_t file;
    std::string where;
  };
  struct EntityDraft {
    TypedValue value;
    std::optional<absl::Time> timestamp;
    std::optional<absl::Time> last_seen;
    // The least limits::kTagsMax by bytes.
    std::set<std::string> tags;
    std::optional<Node> host;
    Place place;
  };
  struct RelationKey {
    Node source;
    Node target;
    uint32_t type;

    friend bool operator==(const RelationKey&, const RelationKey&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const RelationKey& key) {
      return H::combine(std::move(state), key.source, key.target, key.type);
    }
  };
  struct RelationDraft {
    std::optional<absl::Time> last_seen;
    uint32_t file;
  };

  void PutRelation(Node source, Node target, absl::string_view type,
                   std::optional<absl::Time> last_seen, uint32_t file);
  uint32_t FileNumber(const std::string& file);
  relations::v1::Entity MakeEntity(const EntityDraft& draft, std::string id,
                                   const ImportOptions& options) const;

  std::vector<EntityDraft> entities_;
  // By type:value; no type holds a colon.
  absl::flat_hash_map<std::string, Node> nodes_;
  absl::flat_hash_map<RelationKey, RelationDraft> relations_;
  std::vector<std::string> types_;
  absl::flat_hash_map<std::string, uint32_t> type_numbers_;
  std::vector<std::string> files_;
  absl::flat_hash_map<std::string, uint32_t> file_numbers_;
};

}  // namespace relations
