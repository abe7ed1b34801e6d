// One STIX object as what it means for the graph (S3 to S5), independent of all others.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/import/json_document.h"
#include "storage/import/value_normaliser.h"

namespace relations {

// A relation between what two objects stand for.
struct StixStatement {
  // Ids of objects; an empty source is the object that makes the statement.
  std::string source_ref;
  std::string target_ref;
  // Made safe.
  std::string type;
};

struct StixObject {
  // Empty for an object without one, to which nothing can refer.
  std::string id;
  std::string type;
  // What orders the versions of one id: `modified`, else `created`, else the infinite past.
  absl::Time version = absl::InfinitePast();
  bool revoked = false;

  // The entities that the object makes, normalised.
  std::vector<TypedValue> parts;
  // Parts, by index, that belong together as one thing (M6).
  std::vector<std::vector<size_t>> things;
  // Parts, by index, that the object stands for, and objects whose entities it stands for too.
  std::vector<size_t> stands_for;
  std::vector<std::string> stands_for_refs;
  std::vector<StixStatement> statements;
  // Objects of STIX 2.0 observed data; their ids are this id, '/' and their key.
  std::vector<StixObject> embedded;

  // When it was last stated, and last seen.
  std::optional<absl::Time> timestamp;
  std::optional<absl::Time> last_seen;
  std::vector<std::string> tags;

  // What cannot be imported, with the reason, and what is not mapped, by kind.
  std::vector<std::string> rejections;
  std::vector<std::string> skipped;
};

// Reads an object that has a `type`, else INVALID_ARGUMENT. Faults within it are in `rejections`.
absl::StatusOr<StixObject> ReadStixObject(const JsonObject& json);

}  // namespace relations
